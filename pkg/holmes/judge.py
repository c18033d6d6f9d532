"""Whether a reading is too much, and whether something is to be done about it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.holmes.rules import Limits


class Verdict(StrEnum):
    """What a reading leads to."""

    WELL = "well"
    DUMP = "dump"
    COOLING = "cooling"
    """It is too much, but there was a dump not long ago."""
    CAPPED = "capped"
    """It is too much, but there were enough dumps today."""
    BEYOND = "beyond"
    """It is so much that a dump would make it worse."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason."""

    verdict: Verdict
    reason: str = ""


class Judge:
    """Judges the readings of one kind, in their order. `pkg.holmes.rules` has the rule."""

    def __init__(self, limits: Limits, *, window: int, daily_cap: int, clock: Clock) -> None:
        self._limits = limits
        self._cap = daily_cap
        self._clock = clock
        self._last: deque[float] = deque(maxlen=window)
        self._cool_at: float | None = None
        self._day = clock.now().date()
        self._today = 0

    def judge(self, value: float) -> Judgement:
        """Judge one reading. A `DUMP` counts as done: it starts the cool-down."""
        reason = self._too_much(value)
        self._last.append(value)
        if reason is None:
            return Judgement(Verdict.WELL)
        if self._limits.max is not None and value >= self._limits.max:
            return Judgement(Verdict.BEYOND, f"at or above max {self._limits.max:g}")
        return Judgement(self._allowed(), reason)

    def _too_much(self, value: float) -> str | None:
        """Why it is; None if it is not."""
        limits = self._limits
        if value <= limits.min:
            return None
        if value > limits.abs:
            return f"above abs {limits.abs:g}"
        if len(self._last) < (self._last.maxlen or 0):
            return None
        average = sum(self._last) / len(self._last)
        if value > average * (1 + limits.diff / 100):
            return f"above min {limits.min:g} and {limits.diff:g} % above the average {average:.1f}"
        return None

    def _allowed(self) -> Verdict:
        now, day = self._clock.monotonic(), self._clock.now().date()
        if self._cool_at is not None and now < self._cool_at:
            return Verdict.COOLING
        if day != self._day:
            self._day, self._today = day, 0
        if self._today >= self._cap:
            return Verdict.CAPPED
        self._today += 1
        self._cool_at = now + self._limits.cool_down.total_seconds()
        return Verdict.DUMP
