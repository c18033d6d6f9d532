"""Where the CPU time of a full-stack request goes: the usual stack above, ours below.

    ./pants run tests/bench:flame -- docs/explanation/flame.svg

Both graphs are from uvicorn's call of the application on; ours is as much narrower as a request
costs less. Sampling slows both a little, so the widths are no measurement: see tests/bench:http.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import flamegraph
from tests.bench.backends import backends
from tests.bench.contest import Contestant
from tests.bench.gates import Report
from tests.bench.load.call import write
from tests.bench.load.load import Load
from tests.bench.options import parser, run
from tests.bench.peers.sampled import TO
from tests.bench.people import People
from tests.bench.servers import Servers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tests.bench.process import Process

FROM: Final = "uvicorn/protocols/http/httptools_impl.py:RequestResponseCycle.run_asgi"
CONNECTIONS: Final = 16


async def measure(options: argparse.Namespace, directory: Path) -> Report:
    """Sample both, and draw."""
    costs: dict[str, float] = {}
    people = People(directory)
    async with AsyncExitStack() as held:
        where = await held.enter_async_context(backends(directory))
        load = await held.enter_async_context(Load())
        one = write(directory / "one", people.one())

        async def sample(name: str, server: Process) -> None:
            contestant = Contestant(name, server, one)
            await load.run(contestant.round(1, CONNECTIONS))
            os.kill(server.pid, signal.SIGUSR1)
            costs[name] = (await load.run(contestant.round(options.seconds, CONNECTIONS))).cpu_us

        for name in ("before", "after"):
            os.environ[TO] = str(directory / f"{name}.stacks")
            async with AsyncExitStack() as lives:
                servers = Servers(lives, directory, where, people)
                if name == "before":
                    await sample(name, await servers.naive("asgi", 0.01))
                else:
                    await sample(name, await servers.ours(USER__TRACE__RATIO="0.01"))
    charts = {}
    most = max(costs.values())
    for name, title in (("before", "the usual libraries"), ("after", "py-grpc-layout")):
        text = (directory / f"{name}.stacks").read_text(encoding="utf-8")
        charts[f"{title}: {costs[name] / most:.0%} of the CPU time"] = (
            flamegraph.parse(text, start=FROM),
            costs[name] / most,
        )
    options.out.write_text(flamegraph.draw(charts), encoding="utf-8")
    return Report("flame", [], {"cpu_us": costs})


def main(arguments: Sequence[str]) -> int:
    """Exit status 0; 2 where nothing was measured."""
    made = parser(__doc__, seconds=10, rounds=1)
    made.add_argument("out", type=Path, help="the SVG")
    return run(made.parse_args(arguments), measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
