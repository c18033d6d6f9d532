"""Limits of one process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pkg.ratelimit.reckoning import charge, check_cost, count, decide, decision, settle, wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.clock import Clock
    from pkg.ratelimit.limiter import Decision
    from pkg.ratelimit.reckoning import State
    from pkg.ratelimit.rule import Limits


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
        rule = self._limits(key)
        check_cost(cost, rule)
        now = round(self._clock.monotonic() * 1_000_000)
        with self._lock:
            before = after = settle(rule, self._kept.get(key), now)
            waiting = wait(rule, before, now, cost)
            if not waiting:
                after = charge(rule, before, cost)
                self._keep(key, after)
        return decision(key, rule, count(rule, before, after, now, waiting))

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        """Take from all of these keys, or from none."""
        if len(keys) == 1:  # as mostly, and for a third of the time
            return await self.take(keys[0], cost)
        names = tuple(dict.fromkeys(keys))
        rules = [self._limits(key) for key in names]
        for rule in rules:
            check_cost(cost, rule)
        now = round(self._clock.monotonic() * 1_000_000)
        with self._lock:
            befores = [
                settle(rule, self._kept.get(key), now)
                for key, rule in zip(names, rules, strict=True)
            ]
            waits = [
                wait(rule, state, now, cost) for rule, state in zip(rules, befores, strict=True)
            ]
            afters = befores
            if not any(waits):
                afters = [
                    charge(rule, state, cost) for rule, state in zip(rules, befores, strict=True)
                ]
                for key, state in zip(names, afters, strict=True):
                    self._keep(key, state)
        counts = (
            count(rule, before, after, now, waiting)
            for rule, before, after, waiting in zip(rules, befores, afters, waits, strict=True)
        )
        return decide(names, rules, counts)

    def _keep(self, key: str, state: State) -> None:
        """Keep a state; its key moves to the end of the line of those to be forgotten."""
        self._kept.pop(key, None)
        self._kept[key] = state
        if len(self._kept) > self._capacity:
            del self._kept[next(iter(self._kept))]
