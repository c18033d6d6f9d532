"""One lock that is held: renewed until it is given up or lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.errors import Fault
from pkg.lock.locks import LockLostError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from pkg.clock import Clock, Pause
    from pkg.lock.store import LockStore

_RENEWALS: Final = 3
"""In the life of a lock that nobody renews."""
_RETRIES: Final = 20
"""Likewise, of renewals that failed."""
_LEAST: Final = 0.001
"""Seconds in which nothing can be renewed."""
_MARGIN: Final = 0.1
"""The part of its life by which who holds it counts it as lost before the store does: clocks do not
run alike, and who works under it takes a while to stop."""


def valid_until(asked: float, ttl: timedelta) -> float:
    """Until when a lock that was asked for at a time may be relied on."""
    return asked + ttl.total_seconds() * (1 - _MARGIN)


class Lease:
    """A `Held`."""

    def __init__(
        self,
        name: str,
        token: str,
        fencing: int,
        *,
        ttl: timedelta,
        until: float,
        store: LockStore,
        clock: Clock,
        pause: Pause,
        logger: logging.Logger,
    ) -> None:
        """Take over a lock that was taken and may be relied on `until`."""
        self._name = name
        self._token = token
        self._fencing = fencing
        self._ttl = ttl
        self._until = until
        self._store = store
        self._clock = clock
        self._pause = pause
        self._log = logger
        self._lost = asyncio.Event()

    @property
    def name(self) -> str:
        """Of the lock."""
        return self._name

    @property
    def fencing(self) -> int:
        """Greater than that of whoever held the lock before."""
        return self._fencing

    @property
    def lost(self) -> asyncio.Event:
        """Set when the lock is held no more."""
        return self._lost

    def check(self) -> None:
        """Return if the lock is still held."""
        if self._lost.is_set() or self._left() <= 0:
            raise LockLostError(self._name, "is lost")

    async def keep(self, on_loss: Callable[[], None]) -> None:
        """Renew the lock until it is lost; then say so."""
        wait = self._ttl / _RENEWALS
        while (left := self._left()) > _LEAST:
            await self._pause(min(wait, timedelta(seconds=left)))
            try:
                if not await self._renew():
                    break
                wait = self._ttl / _RENEWALS
            except Exception as error:  # noqa: BLE001 - any: tried again while there is time
                self._log.warning("the lock %r could not be renewed yet: %r", self._name, error)
                wait = self._ttl / _RETRIES
        self._lost.set()
        on_loss()

    async def release(self) -> bool:
        """Give the lock up; false if another may have held it meanwhile."""
        if self._lost.is_set():
            return False
        try:
            kept = await self._store.release(self._name, self._token, self._fencing)
        except Fault as fault:
            self._log.warning(
                "the lock %r could not be released, it ends by itself: %r", self._name, fault
            )
            kept = self._left() > 0
        if not kept:
            self._lost.set()
        return kept

    async def _renew(self) -> bool:
        asked = self._clock.monotonic()
        left = self._until - asked
        if left <= 0:
            return False
        async with asyncio.timeout(left):
            renewed = await self._store.renew(self._name, self._token, self._ttl)
        if renewed:
            self._until = valid_until(asked, self._ttl)
        return renewed

    def _left(self) -> float:
        """Seconds that the lock may be relied on without a renewal."""
        return self._until - self._clock.monotonic()
