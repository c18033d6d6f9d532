"""What every benchmark can be told."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.load.load import LoadError
from tests.bench.process import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.bench.gates import Report


def parser(document: str | None, *, seconds: float, rounds: int) -> argparse.ArgumentParser:
    """With the options that all have, and the defaults of this one."""
    made = argparse.ArgumentParser(description=(document or "").splitlines()[0])
    made.add_argument("--seconds", type=float, default=seconds, help="of a round")
    made.add_argument("--rounds", type=int, default=rounds)
    made.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to it")
    made.add_argument("--keep", type=Path, metavar="DIR", help="logs and data stay in it")
    return made


def run(
    options: argparse.Namespace,
    measure: Callable[[argparse.Namespace, Path], Coroutine[Any, Any, Report]],
) -> int:
    """Measure in a directory that is gone afterwards; gives the exit status."""
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        directory = options.keep or Path(made)
        directory.mkdir(parents=True, exist_ok=True)
        try:
            report = asyncio.run(measure(options, directory))
        except (LoadError, ProcessError) as error:
            print(f"nothing measured: {error}", file=sys.stderr)
            return 2
    return report.finish(options.json)
