"""Limits of one process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pkg.ratelimit.reckoning import charge, check_cost, count, decide, settle, wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.clock import Clock
    from pkg.ratelimit.limiter import Decision
    from pkg.ratelimit.reckoning import State
    from pkg.ratelimit.rule import Limits, Rule


class MemoryRateLimiter:
    """A `RateLimiter` of one process. May be shared by threads; forgotten when the process ends."""

    def __init__(self, limits: Limits, *, clock: Clock, capacity: int = 100_000) -> None:
        """Begin with nothing taken.

        Args:
            limits: of each key.
            clock: its monotonic time.
            capacity: how many keys are kept; beyond, the one that took longest ago is forgotten.
        """
        self._limits = limits
        self._clock = clock
        self._capacity = capacity
        self._kept: dict[str, State] = {}
        self._lock = threading.Lock()

    async def take(self, key: str, cost: int = 1) -> Decision:
        """Take as much as a call costs."""
        return await self.take_many((key,), cost)

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        """Take from all of these keys, or from none."""
        names = tuple(dict.fromkeys(keys)) if len(keys) > 1 else keys
        rules = [self._limits(key) for key in names]
        check_cost(cost, rules)
        now = round(self._clock.monotonic() * 1_000_000)
        with self._lock:
            states = [
                settle(rule, self._kept.get(key), now)
                for key, rule in zip(names, rules, strict=True)
            ]
            waits = [
                wait(rule, state, now, cost) for rule, state in zip(rules, states, strict=True)
            ]
            allowed = not any(waits)
            if allowed:
                self._charge(names, rules, states, cost)
        counts = (
            count(rule, state, charge(rule, state, cost) if allowed else state, now, waiting)
            for rule, state, waiting in zip(rules, states, waits, strict=True)
        )
        return decide(names, rules, counts)

    def _charge(
        self, names: Sequence[str], rules: Sequence[Rule], states: Sequence[State], cost: int
    ) -> None:
        """Keep what was taken; the keys move to the end of the line of those to be forgotten."""
        for key, rule, state in zip(names, rules, states, strict=True):
            self._kept.pop(key, None)
            self._kept[key] = charge(rule, state, cost)
        while len(self._kept) > self._capacity:
            del self._kept[next(iter(self._kept))]
