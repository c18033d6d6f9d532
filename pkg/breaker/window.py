"""Calls and failures of the last while, in constant memory."""

from __future__ import annotations

from collections import deque
from typing import Final

_SLICES: Final = 10
"""A call is forgotten with its slice: at most a tenth of the window early."""


class Window:
    """Counts that are forgotten when they are older than the window. Not for several threads."""

    def __init__(self, seconds: float) -> None:
        self._slice = seconds / _SLICES
        self._counts: deque[tuple[int, int, int]] = deque()
        """Number of the slice, calls, failures."""

    def add(self, now: float, *, failed: bool) -> tuple[int, int]:
        """Count a call, and return calls and failures within the window."""
        current = int(now // self._slice)
        calls, failures = 1, int(failed)
        if self._counts and self._counts[-1][0] == current:
            _, before, failed_before = self._counts.pop()
            calls, failures = calls + before, failures + failed_before
        self._counts.append((current, calls, failures))
        while self._counts[0][0] <= current - _SLICES:
            self._counts.popleft()
        return sum(each[1] for each in self._counts), sum(each[2] for each in self._counts)

    def clear(self) -> None:
        """Forget everything."""
        self._counts.clear()
