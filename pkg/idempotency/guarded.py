"""A store that is left alone for a while after it failed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from pkg.errors import Fault

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.clock import Clock
    from pkg.idempotency.store import Begun, Claim, IdempotencyStore

_LOG: Final = logging.getLogger(__name__)


class GuardedIdempotencyStore:
    """An `IdempotencyStore` whose outage costs one wait now and then, and not one for each call."""

    def __init__(
        self,
        guarded: IdempotencyStore,
        *,
        clock: Clock,
        retry_after: timedelta,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Begin with asking the guarded one.

        Args:
            guarded: does the work.
            clock: its monotonic time.
            retry_after: how long the guarded one is left alone.
            logger: told when an outage begins and ends.
        """
        self._guarded = guarded
        self._clock = clock
        self._retry_after = retry_after.total_seconds()
        self._log = logger
        self._away = False
        self._alone_until = 0.0

    async def begin(self, claim: Claim, lease: timedelta) -> Begun:
        """Take a key that is free."""
        self._ask()
        try:
            begun = await self._guarded.begin(claim, lease)
        except Fault as fault:
            self._failed(fault)
            raise
        self._over()
        return begun

    async def finish(self, claim: Claim, result: bytes, ttl: timedelta) -> bool:
        """Keep the result of a call; tried in an outage too, for it would be lost."""
        try:
            kept = await self._guarded.finish(claim, result, ttl)
        except Fault as fault:
            self._failed(fault)
            raise
        self._over()
        return kept

    async def abandon(self, claim: Claim) -> None:
        """Free the key."""
        self._ask()
        try:
            await self._guarded.abandon(claim)
        except Fault as fault:
            self._failed(fault)
            raise
        self._over()

    def _ask(self) -> None:
        """Return if the store is to be asked: in an outage only one asks, and now and then."""
        if not self._away:
            return
        now = self._clock.monotonic()
        if now < self._alone_until:
            raise Fault("UNAVAILABLE")
        self._alone_until = now + self._retry_after

    def _failed(self, fault: Fault) -> None:
        self._alone_until = self._clock.monotonic() + self._retry_after
        if not self._away:
            self._away = True
            self._log.warning("idempotency keys cannot be looked up: %r", fault.__cause__ or fault)

    def _over(self) -> None:
        if self._away:
            self._away = False
            self._log.info("idempotency keys can be looked up again")
