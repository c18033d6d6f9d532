"""Says that spans cannot be sent, but not for each of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging

    from pkg.clock import Clock

EVERY: Final = timedelta(minutes=5)


class Complaints:
    """The first failure is a line, then one every `EVERY`, and one when it is over."""

    def __init__(self, clock: Clock, logger: logging.Logger, target: str) -> None:
        """`target`: what the exports go to. To be used by one thread."""
        self._clock = clock
        self._log = logger
        self._target = target
        self._lost = 0
        self._said: float | None = None

    def failed(self, spans: int, why: str) -> None:
        """An export failed, and its spans are lost."""
        self._lost += spans
        now = self._clock.monotonic()
        if self._said is None or now - self._said >= EVERY.total_seconds():
            self._said = now
            self._log.warning(
                "spans cannot be sent to %s: %s",
                self._target,
                why or "no reason given",
                extra={"lost": self._lost},
            )

    def well(self) -> None:
        """An export succeeded."""
        if self._said is not None:
            self._log.info("spans are sent to %s again", self._target, extra={"lost": self._lost})
            self._said, self._lost = None, 0
