"""Servers of the running service that are broken, and what it must answer meanwhile.

What must hold: each request is answered by its deadline, with 503 or 504 where it fails; /readyz
names the component; nothing that was acknowledged is lost; memory stays where it was; and the same
process serves again, by itself.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING, Final

import httpx

from tests.e2e.writers import PATIENCE, Writers, stored

if TYPE_CHECKING:
    from scripts.servers.server import Server
    from tests.e2e.service import Service

LOG: Final = logging.getLogger(__name__)
FROZEN: Final = 10.0
"""Seconds."""
DEADLINE: Final = 3.0
"""Seconds; `server.timeout` of the service."""
LATE: Final = 4.0
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
"""Settings of the service."""


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


async def kill_under_load(
    server: Server, component: str, service: Service, writers: Writers
) -> None:
    """Kill the server, and start it again once many have been refused."""
    admin = Admin(service)
    before = admin.memory()
    async with writers.writing(service):
        await writers.until(30, 200)
        await asyncio.to_thread(server.kill)
        told = await writers.until(1, 503)
        assert component in await asyncio.to_thread(admin.ill)
        await writers.until(100, 503)
        await asyncio.to_thread(server.start)
        served = await writers.until(1, 200)
        ready = await admin.until_well()
        await writers.until(30, 200)
    LOG.info(
        "%s killed: told after %.2f s, served %.2f s and ready %.2f s after it is back",
        *(component, told, served, served + ready),
    )
    await _assert_nothing_is_lost(service, writers, admin.memory() - before)


async def freeze_under_load(
    server: Server, component: str, service: Service, writers: Writers
) -> None:
    """Freeze the server for ten seconds."""
    admin = Admin(service)
    before = admin.memory()
    async with writers.writing(service):
        await writers.until(30, 200)
        server.freeze()
        try:
            began = time.monotonic()
            told = await writers.until(1, 503, 504)
            assert component in await asyncio.to_thread(admin.ill)
            await asyncio.sleep(FROZEN - (time.monotonic() - began))
        finally:
            server.thaw()
        served = await writers.until(1, 200)
        ready = await admin.until_well()
        await writers.until(30, 200)
    LOG.info(
        "%s frozen: told after %.2f s, served %.2f s and ready %.2f s after the thaw",
        *(component, told, served, served + ready),
    )
    await _assert_nothing_is_lost(service, writers, admin.memory() - before)


async def _assert_nothing_is_lost(service: Service, writers: Writers, grown: int) -> None:
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
    defects = [line for line in service.log.splitlines() if '"level":"error"' in line]
    assert set(writers.answers) <= {200, 503, 504}, (writers.answers, defects)
    assert writers.sent == sum(writers.answers.values())
    assert writers.slowest < DEADLINE + LATE
    assert grown < GROWTH
    assert service.running
