"""A time in which something fails over and over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from datetime import timedelta


class Outage:
    """Tells once that it began and once that it is over; waits longer with every failure."""

    def __init__(
        self, what: str, *, pause: timedelta, longest: timedelta, logger: logging.Logger
    ) -> None:
        """Begin well.

        Args:
            what: fails, as the begin of a sentence.
            pause: after a success and the first failure.
            longest: the pause doubles up to this, with each failure more.
            logger: told.
        """
        self._what = what
        self._first = pause
        self._longest = max(pause, longest)
        self._log = logger
        self._failures = 0
        self.pause = pause
        """Before the next try."""

    def failed(self, error: Exception) -> None:
        """Count a failure."""
        self._failures += 1
        if self._failures == 1:
            self._log.warning("%s: %s: %s", self._what, type(error).__name__, error)
        else:
            self.pause = min(self.pause * 2, self._longest)

    def over(self) -> None:
        """Note a success."""
        if self._failures:
            self._log.info("over after %d failures: %s", self._failures, self._what)
        self._failures = 0
        self.pause = self._first
