"""Entries in one process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from pkg.cache.entry import VERSION_SIZE
from pkg.cache.store import Invalidation, Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import timedelta

    from pkg.clock import Clock

_UNHEARD: Final = 1024
"""Invalidations that a subscriber may be behind."""


class MissedError(Exception):
    """A subscriber was too slow to hear of every invalidation."""


class MemoryCacheStore:
    """A `CacheStore` of one event loop."""

    def __init__(self, clock: Clock, *, capacity: int = 10_000) -> None:
        """Begin empty.

        Args:
            clock: its monotonic time.
            capacity: how many entries, claims and versions are kept each; beyond, the oldest goes.
        """
        self._clock = clock
        self._capacity = capacity
        self._entries: dict[str, tuple[bytes, float]] = {}
        self._claims: dict[str, tuple[bytes, float]] = {}
        self._versions: dict[str, tuple[bytes, float]] = {}
        self._subscribers: set[asyncio.Queue[Invalidation]] = set()

    async def get(self, key: str) -> Stored | None:
        """What a key holds."""
        found = self._read(self._entries, key)
        return None if found is None else Stored(*found)

    async def claim(self, key: str, token: str, ttl: timedelta) -> bool:
        """Claim to load a key."""
        held = self._read(self._claims, key)
        if held is not None and held[0] != token.encode():
            return False
        self._write(self._claims, key, token.encode(), ttl)
        return True

    async def put(self, key: str, token: str, data: bytes, ttl: timedelta) -> bool:
        """Keep what was loaded."""
        held = self._read(self._claims, key)
        if held is None or held[0] != token.encode():
            return False
        del self._claims[key]
        self._write(self._entries, key, data, ttl)
        return True

    async def give_up(self, key: str, token: str) -> None:
        """End a claim."""
        held = self._read(self._claims, key)
        if held is not None and held[0] == token.encode():
            del self._claims[key]

    async def invalidate(self, key: str) -> None:
        """Forget what a key holds."""
        self._entries.pop(key, None)
        self._claims.pop(key, None)
        self._tell(Invalidation(key=key))

    async def versions(self, tags: Sequence[str]) -> list[bytes]:
        """The version of each tag."""
        found = (self._read(self._versions, tag) for tag in tags)
        return [bytes(VERSION_SIZE) if each is None else each[0] for each in found]

    async def invalidate_tag(self, tag: str, version: bytes, ttl: timedelta) -> None:
        """Give a tag another version."""
        self._write(self._versions, tag, version, ttl)
        self._tell(Invalidation(tag=tag))

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Invalidation]]:
        """Hear of invalidations."""
        queue: asyncio.Queue[Invalidation] = asyncio.Queue(_UNHEARD)
        self._subscribers.add(queue)
        try:
            yield self._heard(queue)
        finally:
            self._subscribers.discard(queue)

    async def _heard(self, queue: asyncio.Queue[Invalidation]) -> AsyncIterator[Invalidation]:
        while queue in self._subscribers:
            yield await queue.get()
        raise MissedError("too slow to hear of every invalidation")

    def _tell(self, invalidation: Invalidation) -> None:
        for queue in tuple(self._subscribers):
            try:
                queue.put_nowait(invalidation)
            except asyncio.QueueFull:
                self._subscribers.discard(queue)

    def _read(self, where: dict[str, tuple[bytes, float]], key: str) -> tuple[bytes, float] | None:
        """What is kept, and the seconds that it has left."""
        found = where.get(key)
        if found is None:
            return None
        left = found[1] - self._clock.monotonic()
        if left <= 0:
            del where[key]
            return None
        return found[0], left

    def _write(
        self, where: dict[str, tuple[bytes, float]], key: str, data: bytes, ttl: timedelta
    ) -> None:
        where.pop(key, None)
        where[key] = data, self._clock.monotonic() + ttl.total_seconds()
        while len(where) > self._capacity:
            del where[next(iter(where))]
