"""A process of a benchmark: started, heard when it is ready, and ended with the benchmark."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final, Self

from tests.bench import cores

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
READY: Final = "BENCH_READY"
"""Variable with the file descriptor on which the process says that it is ready, in JSON."""


class ProcessError(Exception):
    """A process did not become ready; says what it said last."""


class Process:
    """A module of ours in an interpreter of its own; an async context manager."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        log: Path,
        core: int | None = cores.SERVER,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`log` gets both outputs; `core` is where it is pinned to before it begins."""
        self.module = module
        self.pid = 0
        self.said: dict[str, Any] = {}
        """What the process told when it was ready, such as its ports."""
        self._arguments = arguments
        self._log = log
        self._core = core
        self._environ = environ or {}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        read, write = os.pipe()
        try:
            with self._log.open("wb") as out:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", self.module, *self._arguments),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    pass_fds=(write,),
                    env={
                        **os.environ,
                        **self._environ,
                        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                        READY: str(write),
                    },
                )
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        self.pid = self._process.pid
        try:
            cores.pin(self._core, self.pid)
            self.said = await self._hear(read)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _hear(self, descriptor: int) -> dict[str, Any]:
        """The first line that the process says on its pipe."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        pipe = os.fdopen(descriptor, "rb")
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                line = await reader.readline()
        except TimeoutError:
            line = b""
        finally:
            transport.close()
        if not line:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise ProcessError(f"{self.module} did not become ready\n{tail}")
        said: dict[str, Any] = json.loads(line)
        return said

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def ready(**said: Any) -> None:
    """Tell the benchmark that this process is ready, and what it should know."""
    descriptor = int(os.environ.pop(READY))
    with os.fdopen(descriptor, "w") as pipe:
        pipe.write(json.dumps(said) + "\n")
