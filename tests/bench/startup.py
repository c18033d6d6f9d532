"""How long the user service takes from its start to ready, and what of it is imports.

    ./pants package cmd/user:bin && ./pants run tests/bench:startup
    ./pants run tests/bench:startup -- --rounds 3 --json result.json

The first start, which unpacks the package and makes the database, does not count; those after it
find everything there. Imports are timed in a start of their own, because timing slows them, and
of the sources, because a package takes no such wishes.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.bench import cores
from tests.bench.gates import Gate, Report
from tests.bench.packaged import SOURCES, Packaged

if TYPE_CHECKING:
    from collections.abc import Sequence

_IMPORT: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)")
LISTED: Final = 25


def imports(log: str) -> dict[str, float]:
    """Milliseconds by top-level package, of what `-X importtime` says; the slowest first."""
    times: Counter[str] = Counter()
    for found in _IMPORT.finditer(log):
        times[found[2].partition(".")[0]] += int(found[1])
    return {name: micros / 1000 for name, micros in times.most_common()}


def measure(rounds: int, directory: Path) -> Report:
    """Start it again and again."""
    cores.pin(cores.LOAD)
    data = {"USER__DATA__DIR": str(directory / "data")}
    with Packaged(directory / "first", data) as first:
        origin = first.origin
    seconds = []
    for number in range(rounds):
        with Packaged(directory / str(number), data) as service:
            seconds.append(service.seconds)
    python, *module = SOURCES
    timing = (python, "-X", "importtime", *module)
    with Packaged(directory / "imports", data, run=timing) as timed:
        table = imports(timed.log)
    print(f"{origin}: " + " ".join(f"{each:.2f}" for each in seconds) + " s")
    print(f"imports {sum(table.values()):.0f} ms, by package:")
    for name, millis in list(table.items())[:LISTED]:
        print(f"  {name:<28}{millis:>8.1f}")
    gate = Gate("startup-seconds", median(seconds), 2.5, at_most=True)
    return Report("startup", [gate], {"origin": origin, "seconds": seconds, "imports_ms": table})


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 where the gate passes, 1 where it does not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to it")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        report = measure(options.rounds, Path(directory))
    return report.finish(options.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
