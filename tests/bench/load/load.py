"""The benchmark's end of a load process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

from tests.bench.load.round import Outcome

if TYPE_CHECKING:
    from tests.bench.load.round import Round


class LoadError(Exception):
    """The load broke, or a server answered wrongly: what it came to says nothing."""


class Load:
    """Runs rounds, one at a time; an async context manager."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.load.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def run(self, wanted: Round, *, errors_pass: bool = False) -> Outcome:
        """Run one round.

        Raises:
            LoadError: the load broke; or an answer was an error, unless `errors_pass`.
        """
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(wanted)).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise LoadError("the load has ended")
        outcome = Outcome(**json.loads(line))
        if outcome.errors and not errors_pass:
            raise LoadError(f"{outcome.errors} errors, the first: {outcome.first_error}")
        if not outcome.calls:
            raise LoadError("not one call was answered")
        return outcome
