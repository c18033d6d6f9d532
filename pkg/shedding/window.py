"""What was served lately: how many calls passed, and how long they took, in buckets of time."""

from __future__ import annotations

from math import inf
from typing import Final

_NOTHING: Final = 0.0
_UNKNOWN: Final = inf


class Window:
    """Belongs to one event loop. What a bucket holds is forgotten when the window has passed it."""

    __slots__ = (
        "_at",
        "_least",
        "_now_passed",
        "_now_served",
        "_passed",
        "_rate",
        "_served",
        "_until",
        "limit",
    )

    def __init__(self, seconds: float, buckets: int) -> None:
        """Begin with nothing known.

        Args:
            seconds: of the window.
            buckets: that it consists of.
        """
        self._rate = buckets / seconds
        self._at = 0
        self._until = 1 / self._rate
        """When the current bucket ends, whose calls are counted beside the others."""
        self._now_passed = 0
        self._now_served = _NOTHING
        self._passed = [0] * buckets
        self._served = [_NOTHING] * buckets
        self._least = _UNKNOWN
        self.limit = _NOTHING
        """Calls that were served at a time without waiting for each other: the most that passed in
        a bucket, times the least that one took; 0 while nothing is known. As of the last `turn`."""

    def add(self, now: float, seconds: float, *, busy: bool) -> None:
        """A call has passed that took so long."""
        if now >= self._until:
            self.turn(now, busy=busy)
        self._now_passed += 1
        self._now_served += seconds

    def turn(self, now: float, *, busy: bool) -> None:
        """Go on to the bucket of this time; when it is another, reckon anew.

        Args:
            now: the time.
            busy: calls wait for each other. What they take then is no measure: the least is not
                forgotten until the CPU is idle, else a long queue would come to look normal.
        """
        at = int(now * self._rate)
        if at <= self._at:
            return
        size = len(self._passed)
        self._passed[self._at % size] = self._now_passed
        self._served[self._at % size] = self._now_served
        self._now_passed, self._now_served = 0, _NOTHING
        for bucket in range(max(self._at + 1, at - size + 1), at + 1):
            self._passed[bucket % size] = 0
            self._served[bucket % size] = _NOTHING
        self._at = at
        self._until = (at + 1) / self._rate
        self._reckon(busy)

    def _reckon(self, busy: bool) -> None:
        """By the finished buckets: the current one is empty, for it has just begun."""
        most, least = 0, self._least if busy else _UNKNOWN
        for passed, served in zip(self._passed, self._served, strict=True):
            if passed:
                most = max(most, passed)
                least = min(least, served / passed)
        self._least = least
        self.limit = most * self._rate * least if most else _NOTHING
