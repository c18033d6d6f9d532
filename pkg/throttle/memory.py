"""Failures counted in one process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.clock import Clock
    from pkg.throttle.settings import Limits


@dataclass(slots=True)
class _Count:
    failures: int = 0
    locked_until: float = 0.0
    forgotten_at: float = 0.0


class MemoryThrottle:
    """A `Throttle` of one process. May be shared by threads; forgotten when the process ends."""

    def __init__(self, limits: Limits, *, clock: Clock, capacity: int = 100_000) -> None:
        """Begin with no failures.

        Args:
            limits: of each key.
            clock: its monotonic time.
            capacity: how many keys are kept; beyond, the one that failed longest ago is forgotten.
        """
        self._limits = limits
        self._clock = clock
        self._capacity = capacity
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()

    async def check(self, keys: Sequence[str]) -> float | None:
        """Seconds until the last of these keys is free."""
        now = self._clock.monotonic()
        with self._lock:
            counts = [count for count in map(self._counts.get, keys) if count is not None]
            wait = max((count.locked_until - now for count in counts), default=0.0)
        return wait if wait > 0 else None

    async def failed(self, keys: Sequence[str]) -> None:
        """Count one failure under each key."""
        now = self._clock.monotonic()
        with self._lock:
            for key in dict.fromkeys(keys):
                self._count(key, now)
            while len(self._counts) > self._capacity:
                del self._counts[next(iter(self._counts))]

    async def succeeded(self, keys: Sequence[str]) -> None:
        """Forget the failures and the locks of each key."""
        with self._lock:
            for key in keys:
                self._counts.pop(key, None)

    def _count(self, key: str, now: float) -> None:
        """Count one failure; the key moves to the end of the line of those to be forgotten."""
        limits = self._limits(key)
        window = limits.window.total_seconds()
        count = self._counts.pop(key, None)
        if count is None or count.forgotten_at <= now:
            count = _Count(forgotten_at=now + window)
        count.failures += 1
        lock = limits.lock_after(count.failures)
        if lock is not None:
            count.locked_until = max(count.locked_until, now + lock.total_seconds())
            count.forgotten_at = count.locked_until + window
        self._counts[key] = count
