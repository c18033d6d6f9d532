"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Where a `FakeClock` stands that is not told otherwise."""


class FakeClock:
    """A `Clock` for tests: `now`, `time` and `monotonic` move together, and only by `advance`."""

    def __init__(self, start: datetime = EPOCH) -> None:
        """Stand at `start`.

        Raises:
            ValueError: `start` has no time zone, so that it is not an instant.
        """
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware start")
        self._start = start.astimezone(UTC)
        self._elapsed = timedelta()

    def now(self) -> datetime:
        """The start and what was advanced since, in UTC."""
        return self._start + self._elapsed

    def time(self) -> float:
        """Seconds since 1970, the same instant as `now`."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Seconds advanced since the start."""
        return self._elapsed.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Move forward.

        Raises:
            ValueError: `by` is negative; a monotonic clock does not go back.
        """
        if by < timedelta():
            raise ValueError("a clock does not go back")
        self._elapsed += by
