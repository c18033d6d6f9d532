"""The user service's migrations, on every database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from internal.user.data.models import Base
from migrations.user import LOCATION
from pkg.database import MigrationError, downgrade, migrate, revisions

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL
    from sqlalchemy.engine import Connection


async def looked_at(url: URL, look: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_the_migrated_schema_is_what_the_models_say(empty_url: URL) -> None:
    assert await migrate(empty_url, LOCATION)

    assert await looked_at(empty_url, differences) == []


async def test_what_was_migrated_is_left_alone(empty_url: URL) -> None:
    await migrate(empty_url, LOCATION)
    assert not await migrate(empty_url, LOCATION)


async def test_a_database_can_go_back_and_forth(empty_url: URL) -> None:
    await migrate(empty_url, LOCATION)

    assert await downgrade(empty_url, LOCATION, "base")
    assert await looked_at(empty_url, tables) == {"alembic_version"}
    assert not await downgrade(empty_url, LOCATION, "base")

    assert await migrate(empty_url, LOCATION)
    assert await looked_at(empty_url, differences) == []


async def test_of_processes_that_start_together_one_migrates(empty_url: URL) -> None:
    done = await asyncio.gather(*(migrate(empty_url, LOCATION) for _ in range(4)))

    assert sorted(done) == [False, False, False, True]
    assert await looked_at(empty_url, differences) == []


async def test_a_database_of_a_newer_version_is_refused(empty_url: URL) -> None:
    await migrate(empty_url, LOCATION)
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    await looked_at(empty_url, lambda connection: connection.execute(newer))

    with pytest.raises(MigrationError, match=r"revision 9999.*newer version") as caught:
        await migrate(empty_url, LOCATION)
    assert str(empty_url.password) not in str(caught.value)


async def test_to_go_back_to_nowhere_is_refused(empty_url: URL) -> None:
    with pytest.raises(MigrationError, match="no revision 7777"):
        await downgrade(empty_url, LOCATION, "7777")


def test_every_migration_is_found_by_its_number() -> None:
    assert revisions(LOCATION)[0] == "0001"
