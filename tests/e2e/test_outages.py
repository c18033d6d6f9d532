"""The service, while its MariaDB or its Redis is absent, killed under load, or frozen.

What must hold is said in `outages`; without either the service does not start.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from scripts.servers.mariadb import MariaDB
from scripts.servers.redis import Redis
from tests.contract.servers import address
from tests.e2e.outages import LIMITS, freeze_under_load, kill_under_load
from tests.e2e.service import Service
from tests.e2e.web import Web
from tests.e2e.writers import Writers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.servers.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What is broken, and how the service knows it."""

    server: Server
    component: str
    variable: str

    @property
    def settings(self) -> dict[str, str]:
        """Those of a service that uses it."""
        return {**LIMITS, f"{self.component}.url": self.server.environment()[self.variable]}


PARTS: Final = {"database": (MariaDB, "TEST_MYSQL_URL"), "redis": (Redis, "TEST_REDIS_URL")}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "httpx")  # which tells of every request


@pytest.fixture(scope="module", params=PARTS)
def part(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Part]:
    """A server of these tests alone; it may be down."""
    kind, variable = PARTS[request.param]
    address(variable)  # there is one to be had here
    server = kind(tmp_path_factory.mktemp(request.param))
    try:
        yield Part(server, request.param, variable)
    finally:
        server.thaw()
        server.stop()


@pytest.fixture(scope="module")
def service(part: Part, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process for all faults: each must leave it as well as before."""
    part.server.start()
    with Service(tmp_path_factory.mktemp("service"), part.settings) as running:
        yield running


@pytest.fixture(scope="module")
def writers(service: Service) -> Writers:
    with Web(service) as web:
        return Writers(web.admin)


def test_absent_at_the_start_the_start_is_refused_and_says_why(part: Part, tmp_path: Path) -> None:
    part.server.stop()
    began = time.monotonic()
    service = Service(tmp_path, part.settings).launch()
    assert service.wait() == 1, service.output()
    LOG.info("%s absent: refused %.1f s after the launch", part.component, time.monotonic() - began)
    assert part.component in service.said
    assert f"127.0.0.1:{part.server.port}" in service.said


async def test_killed_under_load_and_brought_back(
    part: Part, service: Service, writers: Writers
) -> None:
    await kill_under_load(part.server, part.component, service, writers)


async def test_frozen_for_ten_seconds(part: Part, service: Service, writers: Writers) -> None:
    await freeze_under_load(part.server, part.component, service, writers)
