"""Locks of one process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkg.lock.store import Attempt

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.clock import Clock

_TIDY = 1024
"""Locks; where there are more, those whose time is over are forgotten."""


@dataclass(slots=True)
class _Lock:
    token: str
    until: float


class MemoryLockStore:
    """A `LockStore` of one process. May be shared by threads."""

    def __init__(self, clock: Clock) -> None:
        """`clock`: its monotonic time."""
        self._clock = clock
        self._locks: dict[str, _Lock] = {}
        self._fencing = 0
        self._guard = threading.Lock()

    async def take(self, name: str, token: str, ttl: timedelta) -> Attempt:
        """Take a lock that nobody holds."""
        now = self._clock.monotonic()
        with self._guard:
            held = self._locks.get(name)
            if held is not None and held.until > now and held.token != token:
                return Attempt(0, held.until - now)
            if len(self._locks) >= _TIDY:
                self._locks = {key: lock for key, lock in self._locks.items() if lock.until > now}
            self._fencing += 1
            self._locks[name] = _Lock(token, now + ttl.total_seconds())
            return Attempt(self._fencing, 0.0)

    async def renew(self, name: str, token: str, ttl: timedelta) -> bool:
        """Begin its time again."""
        now = self._clock.monotonic()
        with self._guard:
            held = self._locks.get(name)
            if held is None or held.token != token or held.until <= now:
                return False
            held.until = now + ttl.total_seconds()
            return True

    async def release(self, name: str, token: str, fencing: int) -> bool:
        """Give it up."""
        with self._guard:
            held = self._locks.get(name)
            if held is None or held.token != token:
                return False
            del self._locks[name]
            return True
