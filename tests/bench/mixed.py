"""How long gRPC calls wait while HTTP is saturated in the same process.

    ./pants run tests/bench:mixed
    ./pants run tests/bench:mixed -- --seconds 2 --rounds 1 --json result.json

gRPC is called evenly, far below what it could take: alone in one round, beside as many HTTP calls
as the service can answer in the next. Both go to one process on one core; what is compared is the
99th percentile of the gRPC calls.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from tests.bench.backends import backends
from tests.bench.contest import Contestant, Results
from tests.bench.gates import Gate, Report
from tests.bench.load.call import write
from tests.bench.load.load import Load
from tests.bench.options import parser, run
from tests.bench.people import People
from tests.bench.servers import Servers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

ALONE: Final = "gRPC alone"
BESIDE: Final = "gRPC beside HTTP"
HTTP: Final = "HTTP beside gRPC"
CALLERS: Final = 8
LEAD: Final = 0.5
"""Seconds for which HTTP runs before gRPC begins, and after it has ended."""


async def measure(options: argparse.Namespace, directory: Path) -> Report:
    """All rounds, and what they come to."""
    results = Results([ALONE, BESIDE, HTTP])
    async with AsyncExitStack() as held:
        people = People(directory)
        where = await held.enter_async_context(backends(directory))
        servers = Servers(held, directory, where, people)
        ours = await servers.ours(USER__TRACE__RATIO="0.01")
        rpc = Contestant("", ours, write(directory / "rpc", people.one_rpc()), "grpc")
        web = Contestant("", ours, write(directory / "web", people.one()))
        load = await held.enter_async_context(Load())
        other = await held.enter_async_context(Load())
        paced = rpc.round(options.seconds, CALLERS, warmup=LEAD, rate=options.rate)
        flood = web.round(options.seconds + LEAD, options.connections, warmup=LEAD)
        await load.run(rpc.round(1, CALLERS))
        await load.run(web.round(1, CALLERS))
        for _ in range(options.rounds):
            results.add(ALONE, await load.run(paced))
            flooding = asyncio.create_task(other.run(flood))
            results.add(BESIDE, await load.run(paced))
            results.add(HTTP, await flooding)
    print(results.table())
    gate = Gate("mixed-p99", results.p99_ratio(BESIDE, ALONE), 3, at_most=True)
    return Report("mixed", [gate], {"rate": options.rate, "contestants": results.figures()})


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where the gate passes, 1 where it does not, 2 where nothing was measured."""
    made = parser(__doc__, seconds=5, rounds=7)
    made.add_argument("--connections", type=int, default=32, help="of HTTP")
    made.add_argument("--rate", type=float, default=100, help="gRPC calls a second")
    return run(made.parse_args(arguments), measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
