"""What a call over HTTP costs: our whole stack beside bare frameworks and a stack as usual.

    ./pants run tests/bench:http
    ./pants run tests/bench:http -- --seconds 1 --rounds 1 --json result.json

A POST of a model of fifteen fields is checked and given back. Ours is the user service with a real
Redis, a real collector and a log line for each call; the bare peers have no stack at all. "Cold" is
another user, path and body at every call, more of them than any cache holds. The main figure is the
CPU time of the server's process per call.
"""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from tests.bench.backends import backends
from tests.bench.contest import Contestant, compete
from tests.bench.gates import Gate, Report
from tests.bench.load.call import write
from tests.bench.load.load import Load
from tests.bench.options import parser, run
from tests.bench.people import BY_HAND, PUT, SAMPLED, People
from tests.bench.servers import Servers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

OURS: Final = "ours"
COLD: Final = "ours, cold"
HAND: Final = "ours, hand-written FastAPI"
FASTAPI: Final = "FastAPI"
FASTAPI_COLD: Final = "FastAPI, cold"
RAW: Final = "raw ASGI"
NAIVE: Final = "naive stack, pure ASGI"
NAIVE_BASE: Final = "naive stack, BaseHTTPMiddleware"


async def measure(options: argparse.Namespace, directory: Path) -> Report:
    """All rounds, and what they come to."""
    async with AsyncExitStack() as held:
        people = People(directory)
        where = await held.enter_async_context(backends(directory))
        servers = Servers(held, directory, where, people)
        ratio = {"USER__TRACE__RATIO": str(options.ratio)}
        ours = await servers.ours(**ratio)
        fastapi = await servers.peer("bare_fastapi")
        one = write(directory / "one", people.one())
        many = write(directory / "many", people.many())
        hand = write(directory / "hand", people.one(BY_HAND))
        traced = write(directory / "traced", people.one(PUT, SAMPLED))
        admin = write(directory / "admin", people.administrator(servers.data()))
        contestants = [
            # What a gate compares runs one after the other.
            Contestant(COLD, ours, many),
            Contestant(FASTAPI_COLD, fastapi, many),
            Contestant(HAND, ours, hand),
            Contestant(FASTAPI, fastapi, one),
            Contestant(OURS, ours, one),
            Contestant(RAW, await servers.peer("raw_asgi"), one),
            Contestant("ours without the stack", await servers.peer("no_stack"), one),
            Contestant("Litestar", await servers.peer("bare_litestar"), one),
            Contestant("BlackSheep", await servers.peer("bare_blacksheep"), one),
            Contestant(NAIVE, await servers.naive("asgi", options.ratio), one),
            Contestant(NAIVE_BASE, await servers.naive("base", options.ratio), one),
            Contestant("ours, every call traced", ours, traced),
            Contestant("ours, userInfo from SQLite", ours, admin),
        ]
        load = await held.enter_async_context(Load())
        results = await compete(
            load,
            contestants,
            rounds=options.rounds,
            seconds=options.seconds,
            connections=options.connections,
        )
    print(results.table())
    gates = [
        Gate("http-warm", results.cpu_ratio(FASTAPI, OURS), 1.5),
        Gate("http-cold", results.cpu_ratio(FASTAPI_COLD, COLD), 1.0),
        Gate("http-hand-written", results.rate_ratio(HAND, FASTAPI), 0.6),
        Gate("http-raw-asgi", results.rate_ratio(OURS, RAW), 0.55),
        Gate("http-naive-asgi", results.cpu_ratio(NAIVE, OURS), 8),
        Gate("http-naive-base", results.cpu_ratio(NAIVE_BASE, OURS), 8),
    ]
    return Report("http", gates, {"traced": options.ratio, "contestants": results.figures()})


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where all gates pass, 1 where one does not, 2 where nothing was measured."""
    made = parser(__doc__, seconds=1.2, rounds=15)
    made.add_argument("--connections", type=int, default=16)
    made.add_argument("--ratio", type=float, default=0.01, help="of calls that are traced")
    return run(made.parse_args(arguments), measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
