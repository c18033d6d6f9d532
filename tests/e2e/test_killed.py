"""The service, killed in the middle of its requests, over and over.

What must hold: whatever was acknowledged is there after the next start, nothing is half done, and
nobody has to repair anything. What was not acknowledged may be there or not.

The long form, with TEST_MYSQL_URL or on SQLite alone:

    ROUNDS=20 pytest tests/e2e/test_killed.py --log-cli-level=INFO
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.contract.user import databases
from tests.e2e.service import Service
from tests.e2e.web import Web
from tests.e2e.writers import Writers, stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

LOG = logging.getLogger(__name__)
ROUNDS = int(os.environ.get("ROUNDS", "2"))
SEED = 20
"""Of the moments at which it is killed."""
MYSQL = pytest.param(databases.MYSQL, marks=pytest.mark.integration)


@pytest.fixture(autouse=True)
def patience(caplog: pytest.LogCaptureFixture) -> None:
    """Let these tests take longer than others may before they count as hanging."""
    faulthandler.dump_traceback_later(120 + 60 * ROUNDS, exit=True, file=2)
    caplog.set_level(logging.WARNING, "httpx")  # which tells of every request


@pytest.fixture(params=[databases.SQLITE, MYSQL])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Not started; on a database of its own."""
    settings = {"seed.adminPassword": "orange submarine", "auth.accessTtl": "4h"}
    with databases.empty_database(request.param, tmp_path) as url:
        if request.param != databases.SQLITE:
            settings["database.url"] = url.render_as_string(hide_password=False)
        yield Service(tmp_path, settings)


async def test_what_was_acknowledged_outlives_kills_in_rounds(service: Service) -> None:
    moments = random.Random(SEED)  # noqa: S311 - the same moments in every run
    longest = 0.0
    await asyncio.to_thread(service.start)
    try:
        with Web(service) as web:
            writers = Writers(web.admin)
        for _ in range(ROUNDS):
            async with writers.writing(service):
                await writers.until(1, 200)
                await asyncio.sleep(moments.uniform(0, 1))
                await asyncio.to_thread(service.kill)
            began = time.monotonic()
            await asyncio.to_thread(service.start)
            longest = max(longest, time.monotonic() - began)
            found = await stored(service)
            assert writers.acknowledged <= found.written
            assert found.halves == 0
        async with writers.writing(service):
            await writers.until(5, 200)
        found = await stored(service)
        assert await asyncio.to_thread(service.stop) == 0
    finally:
        service.__exit__(AssertionError, None, None)

    LOG.info(
        "%d kills: %d sent, %d acknowledged, %d cut off, of which %d are there; %d lost, %d half"
        " done; up again after %.1f s at most",
        ROUNDS,
        writers.sent,
        len(writers.acknowledged),
        writers.cut,
        len(found.written - writers.acknowledged),
        len(writers.acknowledged - found.written),
        found.halves,
        longest,
    )
    assert writers.acknowledged <= found.written
    assert found.halves == 0
    assert set(writers.answers) == {200}
    assert writers.cut >= ROUNDS
