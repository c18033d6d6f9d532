"""What the user service's repositories are tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from internal.user.data import SqlTransactions
from pkg.clock import FakeClock
from tests.contract.user import databases
from tests.unit.internal.user.fakes import FakeTransactions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlalchemy import URL

    from internal.user.biz import Transactions

FAKE = "fake"


@pytest.fixture(scope="session", params=(FAKE, *databases.KINDS))
def url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[URL | None]:
    """A migrated database of each kind, one after the other; None for the fakes."""
    if request.param == FAKE:
        yield None
        return
    directory = tmp_path_factory.mktemp(request.param)
    with databases.migrated_database(request.param, directory) as made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    """What the audit columns and biz go by."""
    return FakeClock()


@pytest.fixture
async def transactions(
    url: URL | None, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Transactions]:
    """Units of work with nothing in them yet."""
    if url is None:
        yield FakeTransactions(clock)
        return
    async with databases.opened(url, tmp_path) as database:
        yield SqlTransactions(database, clock=clock)
