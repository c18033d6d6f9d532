"""Whether a service grows: ten minutes at 70 % of what it can take.

    ./pants run tests/bench:soak
    ./pants run tests/bench:soak -- --seconds 60 --json result.json

What it can take is measured first. The calls are spread evenly, each of another user on another
path, so that every cache is full and turns over. Memory is read from the end of the first tenth,
when caches and allocator have settled, to the end.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, suppress
from statistics import median
from typing import TYPE_CHECKING, Final

import psutil

from tests.bench.backends import backends
from tests.bench.contest import Contestant
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

SHARE: Final = 0.7
SAMPLES: Final = 120
"""Readings of the memory, in all."""


async def measure(options: argparse.Namespace, directory: Path) -> Report:
    """One long round."""
    async with AsyncExitStack() as held:
        people = People(directory)
        where = await held.enter_async_context(backends(directory))
        servers = Servers(held, directory, where, people)
        ours = await servers.ours(USER__TRACE__RATIO="0.01")
        contestant = Contestant("", ours, write(directory / "many", people.many()))
        load = await held.enter_async_context(Load())
        most = await load.run(contestant.round(5, options.connections, warmup=1))
        rate = most.rate * SHARE
        wanted = contestant.round(options.seconds, options.connections, warmup=1, rate=rate)
        reading = asyncio.create_task(_read(psutil.Process(ours.pid), options.seconds / SAMPLES))
        outcome = await load.run(wanted, errors_pass=True)
        reading.cancel()
        sizes = await reading
    settled = sizes[len(sizes) // 10 :]
    before, after = _middle(settled[: len(settled) // 10]), _middle(settled[-len(settled) // 10 :])
    growth = (after / before - 1) * 100
    print(
        f"{most.rate:.0f} calls/s at most; {outcome.rate:.0f} calls/s for {outcome.seconds:.0f} s"
    )
    print(f"RSS {before / 2**20:.1f} MiB, at the end {after / 2**20:.1f} MiB")
    if outcome.errors:
        print(f"the first of {outcome.errors} errors: {outcome.first_error}")
    gates = [
        Gate("soak-growth-percent", growth, 2, at_most=True),
        Gate("soak-errors", outcome.errors, 0, at_most=True),
    ]
    figures = {
        "most": most.rate,
        "rate": outcome.rate,
        "seconds": outcome.seconds,
        "cpu_us": outcome.cpu_us,
        "p99": outcome.p99,
        "rss": sizes,
    }
    return Report("soak", gates, figures)


async def _read(process: psutil.Process, pause: float) -> list[int]:
    """Sizes in bytes, until cancelled."""
    sizes: list[int] = []
    with suppress(asyncio.CancelledError):
        while True:
            sizes.append(process.memory_info().rss)
            await asyncio.sleep(pause)
    return sizes


def _middle(sizes: list[int]) -> float:
    return median(sizes) if sizes else float("nan")


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where all gates pass, 1 where one does not, 2 where nothing was measured."""
    made = parser(__doc__, seconds=600, rounds=1)
    made.add_argument("--connections", type=int, default=16)
    return run(made.parse_args(arguments), measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
