"""One SQLite file, used by one thread, off the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from pkg.search.errors import SearchUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from pathlib import Path

R = TypeVar("R")

_STEPS: Final = 20_000
"""Instructions of SQLite's machine between two looks at the time: well below a millisecond."""


class SqliteFile:
    """A connection and its thread. Other processes may use the file at the same time."""

    def __init__(self, path: Path, *, timeout: timedelta) -> None:
        """Touch nothing yet.

        Args:
            path: of the file; its directory is made if need be.
            timeout: for one piece of work, and for what it waits for others.
        """
        self._path = path
        self._timeout = timeout.total_seconds()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._connection: sqlite3.Connection | None = None
        self._deadline: float | None = None

    async def open(self) -> None:
        """Open the file.

        Raises:
            SearchUnavailableError: it cannot be opened.
        """
        try:
            await self._run(self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close it. Nothing can be done with it after that."""
        await self._run(self._close)
        self._thread.shutdown(wait=False)

    async def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Do something that sees the file as it is at one moment.

        Raises:
            SearchUnavailableError: the file cannot be read, or not in time.
        """
        return await self._run(lambda: self._transact(work, "BEGIN", limited=True))

    async def write(self, work: Callable[[sqlite3.Connection], R], *, limited: bool = True) -> R:
        """Do something as a whole or not at all. It is done, or not, also if this is cancelled.

        Args:
            work: what is to be done.
            limited: False for what may take its time.

        Raises:
            SearchUnavailableError: the file cannot be written, or not in time.
        """
        return await self._run(lambda: self._transact(work, "BEGIN IMMEDIATE", limited=limited))

    async def _run(self, work: Callable[[], R]) -> R:
        """Work in the thread; it is over when this returns or raises."""
        try:
            step = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RuntimeError as error:  # the thread has ended
            raise SearchUnavailableError("the file of the search is closed") from error
        try:
            await asyncio.wait({step})
        except asyncio.CancelledError:
            await asyncio.wait({step})
            if not step.cancelled():
                step.exception()  # seen: the cancellation is what is told
            raise
        return step.result()

    def _open(self) -> None:
        with _translated():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path, timeout=self._timeout, isolation_level=None, cached_statements=256
            )
            self._connection = connection
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.set_progress_handler(self._is_late, _STEPS)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline

    def _transact(self, work: Callable[[sqlite3.Connection], R], begin: str, *, limited: bool) -> R:
        connection = self._connection
        if connection is None:
            raise SearchUnavailableError("the file of the search is not open")
        with _translated():
            connection.execute(begin)
            try:
                self._deadline = time.monotonic() + self._timeout if limited else None
                result = work(connection)
                self._deadline = None  # a commit is never stopped
                connection.execute("COMMIT")
            except BaseException:
                self._deadline = None
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise SearchUnavailableError(f"the file of the search: {error}") from error
