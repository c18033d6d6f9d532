"""Limits in Redis, for all processes of a service, on the server's time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.asyncio.cluster import RedisCluster

from pkg.ratelimit.reckoning import Count, check_cost, decide
from pkg.ratelimit.script import CODES, GIVE_BACK, TAKE
from pkg.redis import tagged, unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from redis.asyncio import Redis

    from pkg.clock import Clock
    from pkg.ratelimit.limiter import Decision
    from pkg.ratelimit.rule import Limits, Rule

_NUMBERS = len(Count._fields)


class RedisRateLimiter:
    """A `RateLimiter` on Redis. Belongs to its client's event loop.

    One key for each key, which ends by itself when nothing is counted any more. One round trip for
    any number of keys, in one script. On a cluster, where keys lie on several nodes, these are
    asked at the same time; if one refuses, what the others took is given back in a second round
    trip, and whoever calls between the two sees it as taken.
    """

    def __init__(
        self,
        limits: Limits,
        client: Redis,
        prefix: str = "ratelimit",
        *,
        clock: Clock | None = None,
    ) -> None:
        """Keep keys under `<prefix>:`.

        Args:
            limits: of each key.
            client: of any topology.
            prefix: of every key.
            clock: its monotonic time, for tests. Without, the server's time: those of several hosts
                are not the same.
        """
        self._limits = limits
        self._client: Any = client
        self._prefix = prefix
        self._clock = clock
        self._cluster = isinstance(self._client, RedisCluster)
        self._take = self._client.register_script(TAKE)
        self._give_back = self._client.register_script(GIVE_BACK)

    async def take(self, key: str, cost: int = 1) -> Decision:
        """Take as much as a call costs."""
        return await self.take_many((key,), cost)

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        """Take from all of these keys, or from none."""
        names = tuple(dict.fromkeys(keys))
        rules = [self._limits(key) for key in names]
        for rule in rules:
            check_cost(cost, rule)
        if self._cluster and len(names) > 1:
            counts = await self._take_apart(names, rules, cost)
        elif names:
            counts = await self._run(self._take, names, rules, cost)
        else:
            counts = []
        return decide(names, rules, counts)

    async def _run(
        self, script: Any, names: Iterable[str], rules: Iterable[Rule], cost: int
    ) -> list[Count]:
        now = -1 if self._clock is None else round(self._clock.monotonic() * 1_000_000)
        arguments = [now, cost]
        for rule in rules:
            arguments += (CODES[rule.algorithm], rule.unit, rule.limit)
        with unavailable():
            told = await script(keys=[tagged(self._prefix, name) for name in names], args=arguments)
        return [Count(*told[at : at + _NUMBERS]) for at in range(0, len(told or ()), _NUMBERS)]

    async def _take_apart(
        self, names: tuple[str, ...], rules: list[Rule], cost: int
    ) -> list[Count]:
        """Take from keys that may lie on several nodes."""
        taken = await asyncio.gather(
            *(
                self._run(self._take, (name,), (rule,), cost)
                for name, rule in zip(names, rules, strict=True)
            )
        )
        counts = [count for (count,) in taken]
        if any(count.wait for count in counts):
            await asyncio.gather(
                *(
                    self._run(self._give_back, (name,), (rule,), cost)
                    for name, rule, count in zip(names, rules, counts, strict=True)
                    if not count.wait
                )
            )
        return counts
