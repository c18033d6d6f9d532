"""The service, while its MariaDB is absent, killed under load, or frozen for ten seconds.

What must hold: each request is answered by its deadline, with 503 or 504 where it fails; /readyz
names the database; nothing that was acknowledged is lost; memory stays where it was; and the same
process serves again, by itself.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from scripts.servers.mariadb import MariaDB
from tests.contract.servers import address
from tests.e2e.service import Service
from tests.e2e.web import Web
from tests.e2e.writers import PATIENCE, Writers, stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

LOG = logging.getLogger(__name__)
FROZEN: Final = 10.0
DEADLINE: Final = 3.0
LATE: Final = 2.0
"""Seconds that an answer may come after its deadline: one for a COMMIT, and a busy machine."""
GROWTH: Final = 64 * 2**20
"""Bytes that an outage may cost, when it is over."""
LIMITS: Final = {
    "seed.adminPassword": "orange submarine",
    "server.timeout": f"{DEADLINE:g}s",
    "database.poolSize": "4",
    "database.poolTimeout": "1s",
    "database.connectTimeout": "1s",
    "database.statementTimeout": f"{DEADLINE:g}s",
}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "httpx")  # which tells of every request


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A MariaDB of these tests alone; it may be down."""
    address("TEST_MYSQL_URL")  # there is one to be had here
    server = MariaDB(tmp_path_factory.mktemp("mysql"))
    try:
        yield server
    finally:
        server.thaw()
        server.stop()


def settings(mariadb: MariaDB) -> dict[str, str]:
    return {**LIMITS, "database.url": mariadb.environment()["TEST_MYSQL_URL"]}


@pytest.fixture(scope="module")
def service(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process for all faults: each must leave it as well as before."""
    mariadb.start()
    with Service(tmp_path_factory.mktemp("service"), settings(mariadb)) as running:
        yield running


@pytest.fixture(scope="module")
def writers(service: Service) -> Writers:
    with Web(service) as web:
        return Writers(web.admin)


class Admin:
    """What the process says of itself."""

    def __init__(self, service: Service) -> None:
        self._url = service.admin

    def ill(self) -> dict[str, str]:
        """What is wrong with which component; nothing if it is ready."""
        reply = self._get("/readyz")
        said = reply.json()
        assert (reply.status_code == 200) is said["ready"]
        parts = said["components"].items()
        return {name: part["error"] for name, part in parts if not part["ok"]}

    async def until_well(self) -> float:
        """Seconds until it is ready."""
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(self.ill):  # noqa: ASYNC110 - it is asked
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    def memory(self) -> int:
        """Bytes."""
        text = self._get("/metrics").text
        found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
        assert found is not None
        return int(float(found[1]))

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(self._url + path, timeout=10, trust_env=False)


def test_absent_at_the_start_the_start_is_refused_and_says_why(
    mariadb: MariaDB, tmp_path: Path
) -> None:
    mariadb.stop()
    began = time.monotonic()
    service = Service(tmp_path, settings(mariadb)).launch()
    assert service.wait() == 1, service.output()
    LOG.info("absent: refused %.1f s after the launch", time.monotonic() - began)
    assert "Can't connect to MySQL server" in service.said
    assert f"127.0.0.1:{mariadb.port}" in service.said


async def test_killed_under_load_and_brought_back(
    mariadb: MariaDB, service: Service, writers: Writers
) -> None:
    admin = Admin(service)
    before = admin.memory()
    async with writers.writing(service):
        await writers.until(30, 200)
        await asyncio.to_thread(mariadb.kill)
        told = await writers.until(1, 503)
        assert "database" in await asyncio.to_thread(admin.ill)
        await writers.until(100, 503)
        await asyncio.to_thread(mariadb.start)
        served = await writers.until(1, 200)
        ready = await admin.until_well()
        await writers.until(30, 200)
    LOG.info(
        "killed: told after %.2f s, served %.2f s and ready %.2f s after it is back",
        *(told, served, served + ready),
    )
    await assert_nothing_is_lost(service, writers, admin.memory() - before)


async def test_frozen_for_ten_seconds(mariadb: MariaDB, service: Service, writers: Writers) -> None:
    admin = Admin(service)
    before = admin.memory()
    async with writers.writing(service):
        await writers.until(30, 200)
        mariadb.freeze()
        try:
            began = time.monotonic()
            told = await writers.until(1, 503, 504)
            assert "database" in await asyncio.to_thread(admin.ill)
            await asyncio.sleep(FROZEN - (time.monotonic() - began))
        finally:
            mariadb.thaw()
        served = await writers.until(1, 200)
        ready = await admin.until_well()
        await writers.until(30, 200)
    LOG.info(
        "frozen: told after %.2f s, served %.2f s and ready %.2f s after the thaw",
        *(told, served, served + ready),
    )
    await assert_nothing_is_lost(service, writers, admin.memory() - before)


async def assert_nothing_is_lost(service: Service, writers: Writers, grown: int) -> None:
    found = await stored(service)
    LOG.info(
        "%d sent: %s; slowest %.1f s; %d acknowledged, %d lost, %d half done, %d there without;"
        " memory %+.0f MiB",
        writers.sent,
        dict(writers.answers),
        writers.slowest,
        len(writers.acknowledged),
        len(writers.acknowledged - found.written),
        found.halves,
        len(found.written - writers.acknowledged),
        grown / 2**20,
    )
    assert writers.acknowledged <= found.written
    assert found.halves == 0
    assert set(writers.answers) <= {200, 503, 504}
    assert writers.sent == sum(writers.answers.values())
    assert writers.slowest < DEADLINE + LATE
    assert grown < GROWTH
    assert service.running
