"""Databases with several connections, as a service has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from internal.user.data import SqlTransactions
from pkg.clock import FakeClock
from tests.contract.user import databases
from tests.unit.internal.user.world import Ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlalchemy import URL

    from pkg.database import Database


@pytest.fixture(params=databases.KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """A database without tables."""
    with databases.empty_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture(scope="session", params=databases.KINDS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A migrated database of each kind, one after the other."""
    directory = tmp_path_factory.mktemp(request.param)
    with databases.migrated_database(request.param, directory) as made:
        yield made


@pytest.fixture
async def database(url: URL, tmp_path: Path) -> AsyncIterator[Database]:
    """An open database with nothing in its tables."""
    async with databases.opened(url, tmp_path) as made:
        yield made


@pytest.fixture
async def ports(database: Database) -> Ports:
    """The small world of the unit tests, on a database."""
    clock = FakeClock()
    made = Ports(SqlTransactions(database, clock=clock), clock)
    await made.populate()
    return made
