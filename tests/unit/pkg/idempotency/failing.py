"""A store that fails or hangs when it is told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pkg.errors import Fault
from pkg.idempotency import Begun, Claim, MemoryIdempotencyStore, State

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.clock import Clock


class FailingStore:
    """A store in memory, behind a way that may be broken or slow."""

    def __init__(self, clock: Clock) -> None:
        self._store = MemoryIdempotencyStore(clock)
        self.asked: list[str] = []
        self.away = False
        """Nothing is done, and it is said so."""
        self.hangs = ""
        """The step that hangs once: `begin` when it is done, `finish` before it is."""
        self.hung = asyncio.Event()
        self._strange: bytes | None = None
        self.leases: list[timedelta] = []

    async def begin(self, claim: Claim, lease: timedelta) -> Begun:
        """Take a key that is free."""
        self._ask("begin")
        self.leases.append(lease)
        begun = await self._store.begin(claim, lease)
        await self._hang("begin")
        if begun.state is State.DONE and self._strange is not None:
            return Begun(State.DONE, self._strange)
        return begun

    def give(self, strange: bytes) -> None:
        """Give this for every result."""
        self._strange = strange

    async def finish(self, claim: Claim, result: bytes, ttl: timedelta) -> bool:
        """Keep the result of a call."""
        self._ask("finish")
        await self._hang("finish")
        return await self._store.finish(claim, result, ttl)

    async def abandon(self, claim: Claim) -> None:
        """Free the key."""
        self._ask("abandon")
        await self._store.abandon(claim)

    def _ask(self, step: str) -> None:
        self.asked.append(step)
        if self.away:
            raise Fault("UNAVAILABLE")

    async def _hang(self, step: str) -> None:
        if self.hangs == step:
            self.hangs = ""
            self.hung.set()
            await asyncio.Event().wait()
