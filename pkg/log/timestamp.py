"""Instants as lines say them: RFC 3339 in UTC with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as `2026-01-01T00:00:00.012Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class Timestamps:
    """The same, quicker for instants of one second. Any thread may use it."""

    def __init__(self) -> None:
        self._known = (0, timestamp(0)[:-4])
        """A second, and its text up to the milliseconds: one object, so that both fit."""

    def of(self, seconds: float) -> str:
        """What `timestamp` says."""
        second = int(seconds)
        micros = round((seconds - second) * 1e6)
        if not 0 <= micros < 1_000_000:  # that rounds up to the next second, or before 1970
            return timestamp(seconds)
        known, text = self._known
        if second != known:
            text = timestamp(second)[:-4]
            self._known = (second, text)
        return f"{text}{micros // 1000:03d}Z"
