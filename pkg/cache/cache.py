"""Values that are dear to make, kept for a while for all processes."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from pkg.cache.entry import MOST_TAGS, NOTHING, VERSION_SIZE, Entry
from pkg.cache.flights import Flights
from pkg.cache.loads import AwayError, Loads
from pkg.cache.local import Local, hearing
from pkg.cache.metrics import CacheMetrics, OneCache
from pkg.cache.store import Invalidation
from pkg.clock import Pause, pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pkg.backoff import Chance
    from pkg.cache.codec import Codec
    from pkg.cache.loads import Work
    from pkg.cache.settings import CacheSettings
    from pkg.cache.store import CacheStore
    from pkg.clock import Clock
    from pkg.tokens import Tokens

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)


class HotCache(Generic[T]):
    """A cache of one kind of thing, as a component. Belongs to its store's event loop.

    Whoever asks for a key while it is being loaded shares that load, in this process and, with the
    store's help, in the others. When the store cannot be asked, values are loaded directly, only so
    many at once. It may be used before its start; the first level works from then on.
    """

    def __init__(
        self,
        name: str,
        store: CacheStore,
        codec: Codec[T],
        settings: CacheSettings,
        *,
        clock: Clock,
        tokens: Tokens,
        chance: Chance,
        pause: Pause = pause,
        metrics: CacheMetrics | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            name: of what is kept, for metrics and the component.
            store: with a prefix for this kind of thing alone.
            codec: writes and reads the values. Each caller gets a value of its own.
            settings: how long values are kept, and what may be done at once.
            clock: its monotonic time.
            tokens: tell apart who loads, and the versions of tags.
            chance: spreads the ends of values.
            pause: while another process loads.
            metrics: of all caches.
            logger: told of outages, and of loads in the background that fail.
        """
        self.name = f"cache-{name}"
        self._store = store
        self._codec = codec
        self._settings = settings
        self._tokens = tokens
        self._counts = OneCache(metrics or CacheMetrics(), name)
        self._loads = Loads(
            store,
            settings,
            clock=clock,
            tokens=tokens,
            chance=chance,
            pause=pause,
            counts=self._counts,
            logger=logger,
        )
        self._local = Local(settings.local, clock)
        self._flights: Flights[Entry] = Flights()
        self._refreshes: Flights[Entry | None] = Flights()
        self._hearing = hearing(
            self.name,
            store,
            self._local,
            chance=chance,
            clock=clock,
            pause=pause,
            logger=logger,
        )

    async def start(self) -> None:
        """Begin to hear of invalidations, if there is a first level."""
        if self._settings.local.size:
            await self._hearing.start()

    async def stop(self) -> None:
        """Cancel the loads that go on, and hear of nothing more."""
        await self._hearing.stop()
        await self._refreshes.close()
        await self._flights.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def get_or_load(
        self, key: str, loader: Callable[[], Awaitable[T | None]], *, tags: Sequence[str] = ()
    ) -> T | None:
        """The value of a key, from the cache or from the loader.

        Args:
            key: any text.
            loader: gives the value, or None if there is none, which is remembered too. It runs in a
                task of its own, and goes on when the caller has gone: it must not use what ends
                with the caller, such as the session of a request.
            tags: by which it can be invalidated too; the same ones each time.

        Raises:
            TimeoutError: the loader took longer than `load_timeout`.
            Fault: UNAVAILABLE: in an outage too many loads were waiting.
            ClosedError: the cache was stopped.
            Exception: what the loader raised.
        """
        if len(tags) > MOST_TAGS:
            raise ValueError(f"more than {MOST_TAGS} tags")

        async def work() -> Entry:
            value = await loader()
            return NOTHING if value is None else Entry(True, self._codec.encode(value))

        async def fetch() -> Entry:
            return await self._fetch(key, work, tags)

        entry = self._local.get(key)
        if entry is None:
            entry = await self._flights.join(key, fetch)
        else:
            self._counts.requests["local"].inc()
        if not entry.exists:
            return None
        try:
            return self._codec.decode(entry.payload)
        except Exception:  # noqa: BLE001 - any: another version of the code wrote it
            self._counts.not_kept["undecodable"].inc()
        with suppress(AwayError):
            await self._forget(key)
        entry = await self._flights.join(key, fetch)
        return self._codec.decode(entry.payload) if entry.exists else None

    async def invalidate(self, key: str) -> None:
        """Forget the value of a key; who asks from now on gets a new one.

        Another process may still give the old one from its first level until it hears of this, and
        to those who join a load that it had begun.

        Raises:
            Fault: UNAVAILABLE; others may still have it.
        """
        try:
            await self._forget(key)
        except AwayError as error:
            raise error.__cause__ or error from None

    async def invalidate_tag(self, tag: str) -> None:
        """Forget all values that have a tag, however many, at once.

        Raises:
            Fault: UNAVAILABLE; others may still have them.
        """
        settings = self._settings
        longest = max(settings.ttl + settings.stale, settings.negative_ttl)
        version = self._tokens.random_bytes(VERSION_SIZE)
        try:
            await self._loads.ask(
                self._store.invalidate_tag(tag, version, longest + settings.load_timeout)
            )
        except AwayError as error:
            raise error.__cause__ or error from None
        finally:
            self._drop(Invalidation(tag=tag))

    async def _forget(self, key: str) -> None:
        try:
            await self._loads.ask(self._store.invalidate(key))
        finally:
            self._drop(Invalidation(key=key))  # and what was read from the store meanwhile

    def _drop(self, invalidation: Invalidation) -> None:
        """Forget in this process, and let nobody join a load that began before."""
        self._local.invalidate(invalidation)
        self._flights.part(invalidation.key)

    async def _fetch(self, key: str, work: Work, tags: Sequence[str]) -> Entry:
        loads, requests = self._loads, self._counts.requests
        if not loads.may_ask():
            requests["away"].inc()
            return await loads.direct(work)
        mark = self._local.mark
        try:
            versions = await loads.ask(self._store.versions(tags)) if tags else []
            kept = await loads.look(key, versions)
        except AwayError:
            requests["away"].inc()
            return await loads.direct(work)
        if kept is None:
            requests["miss"].inc()
            entry = await loads.shared(key, work, versions)
        elif kept.fresh:
            entry = kept.entry
            requests["hit" if entry.exists else "negative"].inc()
        else:
            requests["stale"].inc()
            self._refresh(key, work, versions)
            return kept.entry
        self._local.put(key, entry, tags, mark=mark)
        return entry

    def _refresh(self, key: str, work: Work, versions: Sequence[bytes]) -> None:
        """Load a key in the background, unless that is done already, or too much is."""
        if not self._refreshes.has(key) and len(self._refreshes) < self._settings.max_refreshes:
            self._refreshes.start(key, lambda: self._loads.refresh(key, work, versions))
