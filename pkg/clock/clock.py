"""What time it is.

Code that reads the time takes a `Clock` and never calls `datetime.now` or `time.time` itself, so
that expiry, throttling and rotation can be tested to the second without waiting.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time, in the three forms that code asks for. Every method may be called by any thread."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def time(self) -> float:
        """Seconds since 1970 in UTC, the same instant as `now`. May jump when the host is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed instant. Never goes back: measure durations with it."""
        ...


class SystemClock:
    """The host's clock. Its readings are the library's own functions: each call takes several."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)
