"""Async engines, set up alike: strict, UTC, READ COMMITTED, and nothing waits for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from pkg.database import sqlite
from pkg.database.deadline import mariadb, mysql, refuse_late, tell_server

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.engine import Engine

    from pkg.database.settings import DatabaseSettings

_LIMITED: Final = "database_limited"
_GRACE: Final = timedelta(seconds=5)
"""How much longer than a statement may run the client waits for a server that has gone silent."""


def build_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """The engine of one event loop, with a pool. Connects when it is first used."""
    kind = url.get_backend_name()
    options: dict[str, Any] = {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_timeout.total_seconds(),
        "pool_recycle": settings.pool_recycle.total_seconds(),
        "hide_parameters": True,
    }
    if kind == "sqlite":
        engine = create_async_engine(
            url,
            connect_args={
                "isolation_level": None,  # the driver begins nothing by itself
                "timeout": settings.lock_timeout.total_seconds(),
            },
            **options,
        )
        sqlite.prepare(
            engine.sync_engine,
            statement_timeout=settings.statement_timeout,
            foreign_keys=True,
        )
        refuse_late(engine.sync_engine)
        return engine
    engine = create_async_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args=(_mysql_arguments if kind == "mysql" else _postgresql_arguments)(settings),
        **options,
    )
    if kind == "mysql":
        _prepare_mysql(engine.sync_engine, settings)
        tell_server(engine.sync_engine, settings.statement_timeout, _LIMITED)
    else:
        from pkg.database.postgresql import limit_transactions

        limit_transactions(engine.sync_engine, settings.statement_timeout)
    refuse_late(engine.sync_engine)
    return engine


def build_migration_engine(url: URL, *, lock_timeout: timedelta) -> AsyncEngine:
    """An engine for changes of the schema: no pool, no limit of a statement's time.

    On SQLite foreign keys are not enforced, since tables are copied; check them before a commit.
    """
    if url.get_backend_name() == "sqlite":
        sqlite.make_parent(url)
        engine = create_async_engine(
            url,
            poolclass=NullPool,
            connect_args={"isolation_level": None, "timeout": lock_timeout.total_seconds()},
        )
        sqlite.prepare(engine.sync_engine, statement_timeout=timedelta(), foreign_keys=False)
        return engine
    return create_async_engine(url, poolclass=NullPool)


def _postgresql_arguments(settings: DatabaseSettings) -> dict[str, Any]:
    from pkg.database.postgresql import LimitedConnection  # only who uses it pays for the driver

    return {
        "connection_class": LimitedConnection,
        "timeout": settings.connect_timeout.total_seconds(),
        "command_timeout": (settings.statement_timeout + _GRACE).total_seconds(),
        "server_settings": {
            "statement_timeout": str(_milliseconds(settings.statement_timeout)),
            "lock_timeout": str(_milliseconds(settings.lock_timeout)),
            "timezone": "UTC",
        },
    }


def _mysql_arguments(settings: DatabaseSettings) -> dict[str, Any]:
    seconds = settings.connect_timeout.total_seconds()

    async def connect(**arguments: Any) -> Any:
        # The driver's limit is that of TCP alone, and the system accepts for a frozen server.
        import asyncmy

        async with asyncio.timeout(seconds):
            try:
                return await asyncmy.connect(**arguments)
            except RuntimeError as error:  # the server was gone before the driver used the socket
                raise ConnectionResetError(str(error)) from error

    return {
        "async_creator_fn": connect,
        "connect_timeout": seconds,
        "read_timeout": (settings.statement_timeout + _GRACE).total_seconds(),
    }


def _prepare_mysql(engine: Engine, settings: DatabaseSettings) -> None:
    timeout = settings.statement_timeout
    lock_seconds = max(1, round(settings.lock_timeout.total_seconds()))

    def limits(*, is_mariadb: bool) -> str:
        statement = (
            f"max_statement_time = {timeout.total_seconds()}"
            if is_mariadb
            else f"max_execution_time = {_milliseconds(timeout)}"
        )
        return (
            f"{statement}, innodb_lock_wait_timeout = {lock_seconds}, time_zone = '+00:00', "
            "sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
            "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
        )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT @@version")
            (version,) = cursor.fetchone()
            is_mariadb = "MariaDB" in str(version)
            cursor.execute(f"SET SESSION {limits(is_mariadb=is_mariadb)}")
            cursor.close()
            record.info[_LIMITED] = mariadb if is_mariadb else mysql
        except BaseException:
            connection.close()  # the pool does not
            raise


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
