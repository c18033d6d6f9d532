"""Keys of one process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkg.idempotency.store import Begun, Claim, State

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.clock import Clock


@dataclass(slots=True)
class _Record:
    claim: Claim
    until: float
    result: bytes | None = None


class MemoryIdempotencyStore:
    """An `IdempotencyStore` of one process. May be shared by threads; forgotten when it ends."""

    def __init__(self, clock: Clock, *, capacity: int = 10_000) -> None:
        """Begin with all keys free.

        Args:
            clock: its monotonic time.
            capacity: how many keys are known; beyond, the one that was written first is forgotten.
        """
        self._clock = clock
        self._capacity = capacity
        self._records: dict[str, _Record] = {}
        self._guard = threading.Lock()

    async def begin(self, claim: Claim, lease: timedelta) -> Begun:
        """Take a key that is free."""
        with self._guard:
            found = self._find(claim.key)
            if found is None:
                self._write(claim, lease)
                return Begun(State.BEGUN)
            if found.claim.fingerprint != claim.fingerprint:
                return Begun(State.OTHER)
            if found.result is not None:
                return Begun(State.DONE, found.result)
            return Begun(State.BEGUN if found.claim.token == claim.token else State.RUNNING)

    async def finish(self, claim: Claim, result: bytes, ttl: timedelta) -> bool:
        """Keep the result of a call."""
        with self._guard:
            found = self._find(claim.key)
            if found is not None and found.claim.token != claim.token:
                return False
            self._write(claim, ttl, result)
            return True

    async def abandon(self, claim: Claim) -> None:
        """Free the key."""
        with self._guard:
            found = self._find(claim.key)
            if found is not None and found.claim.token == claim.token and found.result is None:
                del self._records[claim.key]

    def _find(self, key: str) -> _Record | None:
        found = self._records.get(key)
        if found is None or found.until > self._clock.monotonic():
            return found
        del self._records[key]
        return None

    def _write(self, claim: Claim, life: timedelta, result: bytes | None = None) -> None:
        self._records.pop(claim.key, None)
        until = self._clock.monotonic() + life.total_seconds()
        self._records[claim.key] = _Record(claim, until, result)
        while len(self._records) > self._capacity:
            del self._records[next(iter(self._records))]
