"""Databases to test on: each test process makes its own on a server, and drops it at the end.

The account in TEST_MYSQL_URL and TEST_POSTGRES_URL must be allowed to create databases.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from internal.user.data.models import Base
from migrations.user import LOCATION
from pkg.config import Secret
from pkg.database import Database, DatabaseSettings, migrate, resolve_url
from tests.contract import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

SQLITE, MYSQL, POSTGRES = "sqlite", "mysql", "postgres"
SERVERS: Final = {MYSQL: "TEST_MYSQL_URL", POSTGRES: "TEST_POSTGRES_URL"}
SERVER_KINDS: Final = tuple(pytest.param(kind, marks=pytest.mark.integration) for kind in SERVERS)
KINDS: Final = (SQLITE, *SERVER_KINDS)


@contextmanager
def empty_database(kind: str, directory: Path) -> Iterator[URL]:
    """The URL of a database with nothing in it, not even tables."""
    if kind == SQLITE:
        yield resolve_url(f"sqlite:///{uuid.uuid4().hex}.db", directory)
        return
    url = resolve_url(servers.address(SERVERS[kind]), directory)
    mine = url.set(database=f"test_{uuid.uuid4().hex}")
    asyncio.run(_on_server(url, f"CREATE DATABASE {mine.database}"))
    try:
        yield mine
    finally:
        force = " WITH (FORCE)" if kind == POSTGRES else ""
        asyncio.run(_on_server(url, f"DROP DATABASE {mine.database}{force}"))


@contextmanager
def migrated_database(kind: str, directory: Path) -> Iterator[URL]:
    """The URL of a database with the service's tables."""
    with empty_database(kind, directory) as url:
        asyncio.run(migrate(url, LOCATION))
        yield url


@asynccontextmanager
async def opened(url: URL, directory: Path) -> AsyncIterator[Database]:
    """A database that is as after its migration, for one test; what it leaves is removed before.

    SQLite files are copied, since that is quicker than to empty them.
    """
    if url.get_backend_name() == "sqlite":
        copy = directory / "copy.db"
        shutil.copyfile(str(url.database), copy)
        url = url.set(database=str(copy))
    else:
        await _empty(url)
    settings = DatabaseSettings(url=Secret(url.render_as_string(hide_password=False)))
    database = Database(settings, data_dir=directory)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


async def _on_server(url: URL, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


async def _empty(url: URL) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            for name in ("menu", "role"):
                parents = Base.metadata.tables[name]
                await connection.execute(parents.update().values(parent_id=None))
            for table in reversed(Base.metadata.sorted_tables):
                if table.name != "policy_version":
                    await connection.execute(table.delete())
            versions = Base.metadata.tables["policy_version"]
            await connection.execute(versions.update().values(version=0))
    finally:
        await engine.dispose()
