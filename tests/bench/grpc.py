"""What a unary call over gRPC costs: our whole stack beside servers without any.

    ./pants run tests/bench:grpc
    ./pants run tests/bench:grpc -- --seconds 1 --rounds 1 --json result.json

The message is that of tests/bench:http. Ours authenticates, authorizes, checks its rules, counts,
logs and traces; the peers decode it and encode it again. The main figure is the CPU time of the
server's process per call.
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
from tests.bench.people import SAMPLED, People
from tests.bench.servers import Servers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

OURS: Final = "ours, grpc.aio"
COLD: Final = "ours, grpc.aio, cold"
NATIVE: Final = "ours, native"
GRPCLIB: Final = "grpclib + betterproto2"


async def measure(options: argparse.Namespace, directory: Path) -> Report:
    """All rounds, and what they come to."""
    async with AsyncExitStack() as held:
        people = People(directory)
        where = await held.enter_async_context(backends(directory))
        servers = Servers(held, directory, where, people)
        ratio = {"USER__TRACE__RATIO": str(options.ratio)}
        ours = await servers.ours(**ratio)
        native = await servers.ours("native", USER__SERVER__GRPC__ENGINE="native", **ratio)
        one = write(directory / "one", people.one_rpc())
        many = write(directory / "many", people.many_rpc())
        traced = write(directory / "traced", people.one_rpc(SAMPLED))
        contestants = [
            # What a gate compares runs one after the other.
            Contestant(COLD, ours, many, "grpc"),
            Contestant(OURS, ours, one, "grpc"),
            Contestant(GRPCLIB, await servers.peer("bare_grpclib"), one, "grpc"),
            Contestant(NATIVE, native, one, "grpc"),
            Contestant("grpc.aio + protobuf", await servers.peer("bare_grpc_aio"), one, "grpc"),
            Contestant(
                "pygrpc-native + protobuf",
                await servers.peer("bare_grpc_aio", "native"),
                one,
                "grpc",
            ),
            Contestant("ours, every call traced", ours, traced, "grpc"),
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
        Gate("grpc-warm", results.cpu_ratio(GRPCLIB, OURS), 2),
        Gate("grpc-cold", results.cpu_ratio(GRPCLIB, COLD), 1),
        Gate("grpc-native", results.cpu_ratio(GRPCLIB, NATIVE), 5),
    ]
    return Report("grpc", gates, {"traced": options.ratio, "contestants": results.figures()})


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where all gates pass, 1 where one does not, 2 where nothing was measured."""
    made = parser(__doc__, seconds=1.2, rounds=15)
    made.add_argument("--connections", type=int, default=16, help="calls at a time")
    made.add_argument("--ratio", type=float, default=0.01, help="of calls that are traced")
    return run(made.parse_args(arguments), measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
