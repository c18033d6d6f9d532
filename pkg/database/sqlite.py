"""What makes SQLite behave under concurrent requests.

Write-ahead logging lets readers go on beside a writer. A transaction that will write says so at its
BEGIN: one that first read and then wants to write could not wait for another writer, but would
fail with "database is locked". How long a statement runs is limited by a progress handler, since
SQLite itself knows no limit.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event

from pkg.database.deadline import deadline_of
from pkg.database.url import shown

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import URL
    from sqlalchemy.engine import Connection, Engine

WRITES: Final = "database_writes"
"""Execution option of a connection: the transaction will write."""

_WATCH: Final = "database_watch"
_STEPS: Final = 20_000
"""Instructions of SQLite's machine between two looks at the time: well below a millisecond."""

_PATIENCE: Final = 5.0
"""Seconds for which others may be switching a new file over."""
_POLL: Final = 0.005


class Watch:
    """Tells SQLite to stop a statement whose time is over. Asked by the connection's thread."""

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit.total_seconds()
        self._deadline: float | None = None

    def begin(self, deadline: float | None) -> None:
        """A statement begins, whose call ends at `deadline`."""
        end = time.monotonic() + self._limit
        self._deadline = end if deadline is None else min(end, deadline)

    def end(self) -> None:
        """No statement is running; a commit is never stopped."""
        self._deadline = None

    def __call__(self) -> int:
        """Not 0, to stop."""
        deadline = self._deadline
        return int(deadline is not None and time.monotonic() > deadline)


def make_parent(url: URL) -> None:
    """Make the directory of the file if need be; OSError where that cannot be."""
    Path(url.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)


async def try_file(url: URL) -> None:
    """Open the file once without aiosqlite, which leaves a thread behind where it cannot.

    Its directory is made if need be, and from now on it is written ahead, whoever opens it.

    Raises:
        ConnectionError: it cannot be opened; says which and why.
    """

    def attempt() -> None:
        make_parent(url)
        connection = sqlite3.connect(url.database or "")
        try:
            _write_ahead(connection)
        finally:
            connection.close()

    try:
        await asyncio.to_thread(attempt)
    except (sqlite3.Error, OSError) as error:
        raise ConnectionError(f"{shown(url)}: {error}") from error


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file over. SQLite waits for nobody here: processes that start together collide."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_POLL)  # in a thread of its own; who has the lock tells nobody when it ends
        else:
            return


def prepare(engine: Engine, *, statement_timeout: timedelta, foreign_keys: bool) -> None:
    """Set up every connection that the engine makes, and how its transactions begin."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = NORMAL")
            cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            cursor.close()
            if statement_timeout:
                watch = record.info[_WATCH] = Watch(statement_timeout)
                connection.run_async(lambda driver: driver.set_progress_handler(watch, _STEPS))
        except BaseException:
            connection.close()  # the pool does not, and its thread would stay
            raise

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, *_: Any) -> None:
        if watch := connection.info.get(_WATCH):
            watch.begin(deadline_of(connection.get_execution_options()))

    @event.listens_for(engine, "after_cursor_execute")
    def after(connection: Connection, *_: Any) -> None:
        if watch := connection.info.get(_WATCH):
            watch.end()

    @event.listens_for(engine, "invalidate")
    def invalidate(connection: Any, _record: Any, error: BaseException | None) -> None:
        if isinstance(error, asyncio.CancelledError):
            connection.run_async(lambda driver: asyncio.shield(_abandon(driver)))

    @event.listens_for(engine, "rollback")
    def rollback(connection: Connection) -> None:
        if not connection.invalidated and (watch := connection.info.get(_WATCH)):
            watch.end()


async def _abandon(driver: Any) -> None:
    """End what a cancelled caller has begun.

    To close the connection is not enough: SQLite keeps the transaction, and its lock, for as long
    as anything, a traceback say, still holds one of its statements.
    """
    await driver.interrupt()
    await driver.rollback()
