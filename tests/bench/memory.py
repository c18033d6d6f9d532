"""What the user service needs of memory at rest, with every component on, and what needs it.

    ./pants package cmd/user:bin && ./pants run tests/bench:memory
    ./pants run tests/bench:memory -- --rounds 1 --json result.json

The figure is the resident set of the service's process in a start that finds its database as it
should be: a start that migrates has Alembic in it, 12 MiB more. The embedded Valkey is a process of
its own and told beside it. Who needs what is read in a second process, which imports and starts one
thing after another: a library that several need is counted where it comes first.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import psutil

from tests.bench.gates import Gate, Report
from tests.bench.packaged import Packaged
from tests.bench.process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SETTLE: Final = 3.0
"""Seconds after ready, in which what runs at the start comes to an end."""
EVERYTHING: Final[Mapping[str, str]] = {
    # Nobody answers there: what would send keeps trying, with all that it needs for it.
    "USER__TRACE__ENDPOINT": "http://127.0.0.1:9",
    "USER__PYROSCOPE__URL": "http://127.0.0.1:9",
    "USER__LOG__FORMAT": "json",
}
"""Settings that turn on what is off by default and needs no server to start."""


def measure(rounds: int, directory: Path) -> Report:
    """Start it, let it settle, look."""
    sizes, valkey, origin = [], 0, ""
    told = {**EVERYTHING, "USER__DATA__DIR": str(directory / "data")}
    with Packaged(directory / "first", told):
        pass
    for number in range(rounds):
        with Packaged(directory / str(number), told) as service:
            time.sleep(SETTLE)
            process = psutil.Process(service.pid)
            sizes.append(process.memory_info().rss)
            below = (child.memory_info().rss for child in process.children(recursive=True))
            valkey, origin = max(below, default=0), service.origin
    steps = asyncio.run(_steps(directory))
    print(f"{origin}: " + " ".join(f"{size / 2**20:.1f}" for size in sizes) + " MiB")
    print(f"embedded Valkey, a process of its own: {valkey / 2**20:.1f} MiB")
    print("MiB, one after another:")
    for name, size in steps.items():
        print(f"  {name:<44}{size / 2**20:>8.1f}")
    # The issue says MB.
    gate = Gate("memory-rss-mb", median(sizes) / 1e6, 150, at_most=True)
    figures = {"origin": origin, "rss": sizes, "valkey": valkey, "steps": steps}
    return Report("memory", [gate], figures)


async def _steps(directory: Path) -> dict[str, int]:
    process = Process(
        "tests.bench.peers.weighed",
        str(directory / "data"),
        log=directory / "weighed.log",
        environ=EVERYTHING,
    )
    async with process:
        steps: dict[str, int] = process.said["steps"]
    return steps


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where the gate passes, 1 where it does not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to it")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        report = measure(options.rounds, Path(made))
    return report.finish(options.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
