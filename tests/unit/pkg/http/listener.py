"""A client of a stream of events that reads, waits and leaves as a test tells it."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api.lab.v1.service import chain_service
from pkg.http import HttpApp, ProfileName, profile_of
from pkg.middleware import log_error, recovery, validation
from pkg.tokens import FakeTokens
from tests.unit.pkg.chain.transports import ChainLab
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.lab.v1 import Done, Glance
    from pkg.rpc import Call, Middleware

SOON = 30
"""Seconds, longer than anything here takes."""


class Watched(ChainLab):
    """Tells what becomes of its streams."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self.closed = asyncio.Event()

    async def watch(self, request: Glance, call: Call, /) -> AsyncIterator[Done]:
        try:
            async for each in super().watch(request, call):
                self.made += 1
                yield each
        finally:
            self.closed.set()


class Beats:
    """A pause that is over when the test says so."""

    def __init__(self) -> None:
        self.asked: list[timedelta] = []
        self._over = asyncio.Event()

    async def __call__(self, time: timedelta) -> None:
        self.asked.append(time)
        await self._over.wait()
        self._over.clear()

    def beat(self) -> None:
        self._over.set()


class Listener:
    """An app, and a client of it that reads, waits and leaves as it is told."""

    def __init__(self, profile: ProfileName = "envelope", *chain: Middleware) -> None:
        self.service = Watched()
        self.beats = Beats()
        self.app = HttpApp(
            registry(),
            (recovery(log_error(logging.getLogger(__name__))), *chain, validation()),
            profile_of(profile, registry()),
            tokens=FakeTokens(),
            heartbeat=timedelta(seconds=7),
            pause=self.beats,
        )
        self.app.mount(chain_service(self.service))
        self.sent: list[Any] = []
        self.sends = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.leaves = asyncio.Event()

    async def listen(self, count: int, **headers: str) -> None:
        await self.app(
            {
                "type": "http",
                "method": "GET",
                "path": "/v1/lab/chain/watch/a",
                "query_string": b"count=%d" % count,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
                "client": None,
            },
            self._receive,
            self._send,
        )

    async def until(self, count: int) -> None:
        """Until so many messages have come."""
        async with asyncio.timeout(SOON):
            while len(self.sent) < count:
                self.sends.clear()
                await self.sends.wait()

    @property
    def text(self) -> bytes:
        return b"".join(each["body"] for each in self.sent[1:])

    async def _receive(self) -> Any:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.append(message)
        self.sends.set()
