"""Policies as a database would give them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pkg.clock import FakeClock
from pkg.rbac import PolicyEngine, PolicySet

if TYPE_CHECKING:
    from pkg.rbac import Link, Rule

MAX_STALE = timedelta(minutes=1)


class Source:
    """Holds one set of policies; may fail, and may be held up."""

    def __init__(self, *rules: Rule, links: tuple[Link, ...] = ()) -> None:
        self.policies = PolicySet(1, rules, links)
        self.error: Exception | None = None
        self.loads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self) -> PolicySet:
        self.loads += 1
        policies = self.policies
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return policies

    async def version(self) -> int:
        if self.error is not None:
            raise self.error
        return self.policies.version

    def change(self, *rules: Rule, links: tuple[Link, ...] = ()) -> int:
        self.policies = PolicySet(self.policies.version + 1, rules, links)
        return self.policies.version


def engine_of(source: Source, clock: FakeClock | None = None, **options: Any) -> PolicyEngine:
    return PolicyEngine(source.load, clock=clock or FakeClock(), max_stale=MAX_STALE, **options)
