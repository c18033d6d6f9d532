"""Bringing a database to the schema that the code needs.

When it is there already, one query tells so, and Alembic is not even imported. Of processes that
start together one migrates and the others wait: for an advisory lock on PostgreSQL, a named lock on
MySQL, the write lock on SQLite. On PostgreSQL and SQLite all happens in one transaction; MySQL
commits each change of the schema by itself, so there a migration that fails leaves its first steps.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from pkg.database.engine import build_migration_engine
from pkg.database.errors import code_of
from pkg.database.revisions import revisions
from pkg.database.sqlite import WRITES, try_file
from pkg.database.url import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import URL
    from sqlalchemy.engine import Connection

VERSION_TABLE: Final = "alembic_version"
BASE: Final = "base"
"""The revision of an empty schema."""
_LOCK_TIMEOUT: Final = timedelta(minutes=2)


class MigrationError(Exception):
    """The schema cannot be brought to where the code needs it; says why."""


async def migrate(url: URL, location: Path, *, lock_timeout: timedelta = _LOCK_TIMEOUT) -> bool:
    """Upgrade to the newest revision; whether there was anything to do.

    Args:
        url: as `resolve_url` makes it.
        location: the directory with `env.py` and `versions`.
        lock_timeout: how long to wait for another process that migrates.

    Raises:
        MigrationError: the database is newer than the code, another process keeps the lock for
            too long, or a migration left references that lead nowhere.
        ConnectionError: the database does not answer.
    """
    return await _move(url, location, revisions(location)[-1], lock_timeout)


async def downgrade(
    url: URL, location: Path, revision: str, *, lock_timeout: timedelta = _LOCK_TIMEOUT
) -> bool:
    """Go back to an older revision, or to `base`, an empty schema; as `migrate` otherwise.

    Raises:
        MigrationError: as `migrate`, and where there is no such revision.
    """
    if revision not in (BASE, *revisions(location)):
        raise MigrationError(f"there is no revision {revision}")
    return await _move(url, location, revision, lock_timeout)


async def _move(url: URL, location: Path, target: str, lock_timeout: timedelta) -> bool:
    engine = build_migration_engine(url, lock_timeout=lock_timeout)
    if url.get_backend_name() == "sqlite":
        await try_file(url)
    try:
        async with engine.connect() as connection:
            if await connection.run_sync(_stored, url, location) == target:
                return False
        async with engine.connect() as connection:
            await connection.execution_options(**{WRITES: True})
            return await connection.run_sync(_move_locked, url, location, target, lock_timeout)
    except OSError as error:
        raise ConnectionError(f"{shown(url)}: {error}") from error
    except DBAPIError as error:
        if code_of(error) == "SQLITE_BUSY":
            raise _locked(url) from error
        if error.connection_invalidated or not error.statement:
            raise ConnectionError(f"{shown(url)}: {error.orig}") from error
        raise
    finally:
        await engine.dispose()


def _stored(connection: Connection, url: URL, location: Path) -> str:
    """The revision that the database is at; `base` for an empty one."""
    stored = None
    if inspect(connection).has_table(VERSION_TABLE):
        stored = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    if stored is None:
        return BASE
    known = revisions(location)
    if stored not in known:
        raise MigrationError(
            f"{shown(url)} is at revision {stored}, which this version does not know (it goes up "
            f"to {known[-1]}): start the newer version, or let it downgrade the database first"
        )
    return str(stored)


def _move_locked(
    connection: Connection, url: URL, location: Path, target: str, lock_timeout: timedelta
) -> bool:
    with connection.begin(), _lock(connection, url, lock_timeout):
        stored = _stored(connection, url, location)
        if stored == target:
            return False  # another process was first
        line = (BASE, *revisions(location))
        _run_alembic(connection, location, target, down=line.index(target) < line.index(stored))
        if connection.dialect.name == "sqlite":
            dangling = connection.execute(text("PRAGMA foreign_key_check")).first()
            if dangling is not None:
                raise MigrationError(f"a migration left a reference that leads nowhere: {dangling}")
        return True


def _run_alembic(connection: Connection, location: Path, target: str, *, down: bool) -> None:
    from alembic import command  # only when there is something to do: it takes long to import
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(location).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    (command.downgrade if down else command.upgrade)(config, target)


@contextmanager
def _lock(connection: Connection, url: URL, timeout: timedelta) -> Iterator[None]:
    """Keep other processes from migrating the same database. SQLite's BEGIN did so already."""
    name = f"migrate:{url.database}"
    seconds = int(timeout.total_seconds())
    try:
        if connection.dialect.name == "postgresql":
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])
            connection.execute(text(f"SET LOCAL lock_timeout = '{seconds}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        elif connection.dialect.name == "mysql":
            got = connection.scalar(
                text("SELECT GET_LOCK(:name, :seconds)"), {"name": name[:64], "seconds": seconds}
            )
            if got != 1:
                raise _locked(url)
    except DBAPIError as error:
        raise _locked(url) from error
    try:
        yield
    finally:
        if connection.dialect.name == "mysql":
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name[:64]})


def _locked(url: URL) -> MigrationError:
    return MigrationError(f"{shown(url)} is locked by another process, which may be migrating it")
