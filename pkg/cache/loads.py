"""How an entry comes to be: loaded by one process for all, or, when that cannot be, by each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pkg.backoff import Backoff
from pkg.cache.entry import Entry, Kept, pack, unpack
from pkg.errors import Fault

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from pkg.backoff import Chance
    from pkg.cache.metrics import OneCache
    from pkg.cache.settings import CacheSettings
    from pkg.cache.store import CacheStore
    from pkg.clock import Clock, Pause
    from pkg.tokens import Tokens

T = TypeVar("T")
Work = Callable[[], Awaitable[Entry]]

_GRACE: Final = timedelta(seconds=2)
"""That a claim outlives its load by, for what was loaded to be kept."""


class AwayError(Exception):
    """The store cannot be asked."""


class Loads:
    """The loads of one cache. Belongs to one event loop."""

    def __init__(
        self,
        store: CacheStore,
        settings: CacheSettings,
        *,
        clock: Clock,
        tokens: Tokens,
        chance: Chance,
        pause: Pause,
        counts: OneCache,
        logger: logging.Logger,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._chance = chance
        self._pause = pause
        self._counts = counts
        self._log = logger
        self._poll = Backoff(settings.poll, chance)
        self._slots = asyncio.Semaphore(settings.max_direct_loads)
        self._away = False
        self._alone_until = 0.0

    def may_ask(self) -> bool:
        """Whether the store is to be asked: in an outage only one asks, and now and then."""
        if not self._away:
            return True
        now = self._clock.monotonic()
        if now < self._alone_until:
            return False
        self._alone_until = now + self._settings.retry_after.total_seconds()
        return True

    async def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Ask the store.

        Raises:
            AwayError: it cannot be asked.
        """
        try:
            answer = await question
        except Fault as fault:
            self._counts.errors.inc()
            self._alone_until = self._clock.monotonic() + self._settings.retry_after.total_seconds()
            if not self._away:
                self._away = True
                self._log.warning("the cache cannot be asked: %r", fault.__cause__ or fault)
            raise AwayError from fault
        if self._away:
            self._away = False
            self._log.info("the cache can be asked again")
        return answer

    async def look(self, key: str, versions: Sequence[bytes]) -> Kept | None:
        """What the store has of a key.

        Raises:
            AwayError: it cannot be asked.
        """
        stored = await self.ask(self._store.get(key))
        return stored and unpack(stored.data, left=stored.left, versions=versions)

    async def shared(self, key: str, work: Work, versions: Sequence[bytes]) -> Entry:
        """Load a key, or wait for the process that does."""
        token = self._tokens.hex()
        end = self._clock.monotonic() + self._settings.wait_for_others.total_seconds()
        looks = 0
        try:
            while not await self._claim(key, token):
                left = end - self._clock.monotonic()
                if left <= 0:
                    return await self.direct(work)
                looks += 1
                await self._pause(min(self._poll.wait(looks), timedelta(seconds=left)))
                kept = await self.look(key, versions)
                if kept is not None:
                    return kept.entry
            # Another may have loaded it between our look and our claim.
            kept = await self.look(key, versions)
        except AwayError:
            return await self.direct(work)
        if kept is not None:
            await self._give_up(key, token)
            return kept.entry
        return await self._load_claimed(key, token, work, versions)

    async def refresh(self, key: str, work: Work, versions: Sequence[bytes]) -> Entry | None:
        """Load a key if nobody does; None if somebody does, or it fails."""
        token = self._tokens.hex()
        try:
            if await self._claim(key, token):
                return await self._load_claimed(key, token, work, versions)
        except AwayError:
            pass
        except Exception:  # noqa: BLE001 - any: what was known is given until its end
            self._log.exception("a value could not be loaded anew")
        return None

    async def direct(self, work: Work) -> Entry:
        """Load without the store, only so many at once.

        Raises:
            Fault: UNAVAILABLE: all the others took too long.
        """
        self._counts.direct.inc()
        try:
            async with asyncio.timeout(self._settings.load_timeout.total_seconds()):
                await self._slots.acquire()
        except TimeoutError:
            raise Fault("UNAVAILABLE") from None
        try:
            return await self._run(work)
        finally:
            self._slots.release()

    async def _claim(self, key: str, token: str) -> bool:
        ttl = self._settings.load_timeout + _GRACE
        return await self.ask(self._store.claim(key, token, ttl))

    async def _load_claimed(
        self, key: str, token: str, work: Work, versions: Sequence[bytes]
    ) -> Entry:
        try:
            entry = await self._run(work)
        except BaseException:
            await self._give_up(key, token)
            raise
        if len(entry.payload) > self._settings.max_value:
            self._counts.not_kept["too_large"].inc()
            await self._give_up(key, token)
            return entry
        ttl, stale = self._times(entry)
        data = pack(entry, stale=stale // timedelta(milliseconds=1), versions=versions)
        with suppress(AwayError):  # it is loaded, which is what was asked for
            if not await self.ask(self._store.put(key, token, data, ttl + stale)):
                self._counts.not_kept["overtaken"].inc()
        return entry

    def _times(self, entry: Entry) -> tuple[timedelta, timedelta]:
        """How long an entry is fresh, and stale after that."""
        settings = self._settings
        ttl = settings.ttl if entry.exists else settings.negative_ttl
        stale = settings.stale if entry.exists else timedelta()
        return ttl * (1 - settings.jitter * self._chance()), stale

    async def _give_up(self, key: str, token: str) -> None:
        with suppress(AwayError):  # the claim ends by itself
            await self.ask(self._store.give_up(key, token))

    async def _run(self, work: Work) -> Entry:
        began = self._clock.monotonic()
        result = "error"
        try:
            async with asyncio.timeout(self._settings.load_timeout.total_seconds()):
                entry = await work()
            result = "ok"
        finally:
            self._counts.loads[result].inc()
            self._counts.seconds.observe(self._clock.monotonic() - began)
        return entry
