"""Locks over any store."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.backoff import Backoff
from pkg.clock import Pause, pause
from pkg.errors import Fault
from pkg.lock.acquisition import Acquisition
from pkg.lock.lease import Lease, valid_until
from pkg.lock.locks import LockTimeoutError
from pkg.lock.metrics import LockMetrics

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from pkg.backoff import Chance
    from pkg.clock import Clock
    from pkg.lock.settings import LockSettings
    from pkg.lock.store import Attempt, LockStore
    from pkg.tokens import Tokens

_LOG: Final = logging.getLogger(__name__)
_LEAST: Final = 0.001
"""Seconds between two tries."""


class StoredLocks:
    """`Locks` in a store. Belongs to the store's event loop."""

    def __init__(
        self,
        store: LockStore,
        settings: LockSettings,
        *,
        clock: Clock,
        tokens: Tokens,
        chance: Chance,
        pause: Pause = pause,
        metrics: LockMetrics | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            store: where the locks are.
            settings: how long they last, and how long to wait.
            clock: its monotonic time.
            tokens: tell the holders apart.
            chance: spreads the tries of those who wait.
            pause: between tries, and between renewals.
            metrics: of all locks; several `StoredLocks` may share them.
            logger: told of renewals that fail.
        """
        self._store = store
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._poll = Backoff(settings.poll, chance)
        self._pause = pause
        self._metrics = metrics or LockMetrics()
        self._log = logger

    def acquire(
        self, name: str, *, ttl: timedelta | None = None, wait: timedelta | None = None
    ) -> AbstractAsyncContextManager[Lease]:
        """Hold a lock for the length of a block."""
        life = self._settings.ttl if ttl is None else ttl
        longest = self._settings.wait if wait is None else wait
        if life <= timedelta():
            raise ValueError("a lock needs a time to live")

        async def take() -> Lease:
            return await self._take(name, life, longest)

        return Acquisition(take, self._metrics)

    async def _take(self, name: str, ttl: timedelta, wait: timedelta) -> Lease:
        began = self._clock.monotonic()
        token = self._tokens.hex()
        tries = 0
        while True:
            asked = self._clock.monotonic()
            attempt = await self._try(name, token, ttl)
            now, until = self._clock.monotonic(), valid_until(asked, ttl)
            if attempt.fencing and now < until:
                break
            left = began + wait.total_seconds() - now
            if left <= 0:
                if attempt.fencing:
                    await self._give_back(name, token)
                self._metrics.timeout.inc()
                raise LockTimeoutError(name, f"was not free within {wait.total_seconds():g} s")
            tries += 1
            nap = min(self._poll.wait(tries).total_seconds(), max(attempt.held_for, _LEAST), left)
            await self._pause(timedelta(seconds=nap))
        self._metrics.acquired.inc()
        self._metrics.wait.observe(now - began)
        return Lease(
            name,
            token,
            attempt.fencing,
            ttl=ttl,
            until=until,
            store=self._store,
            clock=self._clock,
            pause=self._pause,
            logger=self._log,
        )

    async def _try(self, name: str, token: str, ttl: timedelta) -> Attempt:
        try:
            return await self._store.take(name, token, ttl)
        except Fault:
            self._metrics.error.inc()
            raise
        except asyncio.CancelledError:
            await self._give_back(name, token)
            raise

    async def _give_back(self, name: str, token: str) -> None:
        """Release what may have been taken; else nobody could have it before its time is over."""
        with suppress(Fault):
            await self._store.release(name, token, 0)
