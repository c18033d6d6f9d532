"""What the contract suites run on, in one place.

Each suite runs on the adapter in memory and on the embedded server always, and on a real server
where its address is in the environment:

    TEST_REDIS_URL          redis://127.0.0.1:6379/0
    TEST_REQUIRE_SERVERS    1: a server without an address is a failure, not a skip

Tests share servers: each has keys of its own, and takes them away again.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pkg.clock import FakeClock
from pkg.redis import EmbeddedValkey, open_redis
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import timedelta
    from pathlib import Path

MEMORY, EMBEDDED, SERVER = "memory", "embedded", "server"
KINDS = (MEMORY, EMBEDDED, pytest.param(SERVER, marks=pytest.mark.integration))


def address(variable: str) -> str:
    """The address of a real server; skips, or fails where servers are required, without one."""
    found = os.environ.get(variable, "")
    if not found and os.environ.get("TEST_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{variable} is not set, and TEST_REQUIRE_SERVERS=1")
    if not found:
        pytest.skip(f"{variable} is not set")
    return found


def embedded(directory: Path) -> Iterator[str]:
    """Run the embedded server for as long as the iterator is open; gives its URL."""
    server = EmbeddedValkey(directory)
    asyncio.run(server.start())
    try:
        yield server.url
    finally:
        asyncio.run(server.stop())


@dataclass
class Backend:
    """Where the adapter under test keeps what it is told."""

    kind: str
    url: str = ""
    redis: Any = None
    """A client; None in memory."""
    prefix: str = ""
    """Of every key that the test may write."""
    clock: FakeClock = field(default_factory=FakeClock)
    """The time in memory."""

    async def advance(self, by: timedelta) -> None:
        """Let time pass.

        A server's clock cannot be moved, so each key is brought as much nearer to its end.
        """
        self.clock.advance(by)
        if self.redis is None:
            return
        milliseconds = round(by.total_seconds() * 1000)
        for key in [key async for key in self.redis.scan_iter(f"{self.prefix}*")]:
            left = await self.redis.pttl(key)
            if left >= 0:
                # A time to live that is not positive deletes the key.
                await self.redis.pexpire(key, left - milliseconds)

    async def ttl(self, name: str) -> float:
        """Seconds that a key has left; -1 for ever, -2 without one."""
        left = await self.redis.pttl(self.prefix + name)
        return float(left / 1000 if left >= 0 else left)


@asynccontextmanager
async def backend(kind: str, url: str) -> AsyncIterator[Backend]:
    """A backend of this kind with nothing in it."""
    if kind == MEMORY:
        yield Backend(kind)
        return
    prefix = f"test:{uuid.uuid4().hex}:"
    client: Any = open_redis(PATIENT, url)
    try:
        yield Backend(kind, url, client, prefix)
        keys = [key async for key in client.scan_iter(f"{prefix}*")]
        if keys:
            await client.delete(*keys)
    finally:
        await client.aclose()
