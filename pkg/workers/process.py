"""One run of one worker, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pkg.workers.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkerError(Exception):
    """A worker cannot be started; says which and why."""


class WorkerProcess:
    """A child with a line to us."""

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Made by `spawn`."""
        self.name = name
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def spawn(cls, name: str, command: Sequence[str]) -> Self:
        """Start it. Its output is ours, and Ctrl-C at the terminal is not for it.

        Raises:
            WorkerError: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            process = await asyncio.create_subprocess_exec(
                *command, stdin=theirs.fileno(), start_new_session=True
            )
        except BaseException as error:
            ours.close()
            if isinstance(error, OSError):
                raise WorkerError(f"worker {name} cannot be started: {error}") from error
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(name, process, reader, writer)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def ready(self) -> Ready:
        """What it says when it serves.

        Raises:
            WorkerError: it ended before that.
        """
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise WorkerError(f"worker {self.name} {how(await self.wait())} before it was ready")
        try:
            return Ready.of(line)
        except (ValueError, TypeError) as error:
            raise WorkerError(f"worker {self.name} says nonsense: {line[:100]!r}") from error

    async def wait(self) -> int:
        """The exit code, as soon as there is one; of a signal, its number below 0."""
        code = await self._process.wait()
        self._writer.close()
        return code

    def ask(self) -> None:
        """Ask it to stop."""
        self._send(signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)
        await self.wait()

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


def how(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
