"""The first level: a few entries in the process, for a very short time."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from pkg.app import Supervised
from pkg.backoff import Backoff, BackoffSettings

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from pkg.backoff import Chance
    from pkg.cache.entry import Entry
    from pkg.cache.settings import LocalSettings
    from pkg.cache.store import CacheStore, Invalidation
    from pkg.clock import Clock, Pause

_STEADY: Final = timedelta(seconds=10)


class _Kept(NamedTuple):
    entry: Entry
    tags: frozenset[str]
    until: float


class Local:
    """Entries by key, while invalidations are heard of. Belongs to one event loop."""

    def __init__(self, settings: LocalSettings, clock: Clock) -> None:
        self._size = settings.size
        self._ttl = settings.ttl.total_seconds()
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._hears = False
        self.mark = 0
        """Another after each invalidation: who read from the store before it keeps nothing."""

    def get(self, key: str) -> Entry | None:
        """The entry of a key."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found.until <= self._clock.monotonic():
            del self._kept[key]
            return None
        return found.entry

    def put(self, key: str, entry: Entry, tags: Sequence[str], *, mark: int) -> None:
        """Keep an entry that was read when the mark was this."""
        if not self._hears or mark != self.mark:
            return
        self._kept.pop(key, None)
        self._kept[key] = _Kept(entry, frozenset(tags), self._clock.monotonic() + self._ttl)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def invalidate(self, invalidation: Invalidation) -> None:
        """Forget a key, or all that have a tag."""
        self.mark += 1
        if invalidation.key is not None:
            self._kept.pop(invalidation.key, None)
        tag = invalidation.tag
        if tag is not None:
            for key in [key for key, kept in self._kept.items() if tag in kept.tags]:
                del self._kept[key]

    def hear(self, *, hears: bool) -> None:
        """Keep entries, or, while invalidations get lost, forget all and keep none."""
        self.mark += 1
        self._hears = hears and self._size > 0
        self._kept.clear()


def hearing(
    name: str,
    store: CacheStore,
    local: Local,
    *,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    logger: logging.Logger,
) -> Supervised:
    """What tells the first level of invalidations, and shuts it while they may get lost."""

    async def listen() -> None:
        try:
            async with store.subscribe() as invalidations:
                local.hear(hears=True)
                async for invalidation in invalidations:
                    local.invalidate(invalidation)
        finally:
            local.hear(hears=False)

    return Supervised(
        f"{name}-invalidations",
        listen,
        backoff=Backoff(BackoffSettings(), chance),
        steady=_STEADY,
        clock=clock,
        pause=pause,
        logger=logger,
    )
