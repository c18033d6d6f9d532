"""What a decision costs, in one process and in Redis, beside a plain PING and INCR of one client.

    ./pants run tests/bench:ratelimit
    ./pants run tests/bench:ratelimit -- --redis redis://127.0.0.1:6379/0 --json result.json

The contestants take turns, so that a busy machine slows all of them alike; the best round counts.
Without a server the embedded one is measured, over its socket. Redis is measured once with one call
at a time, which is the round trip, and once with 32, which is the CPU time of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from pkg.clock import SystemClock
from pkg.ratelimit import (
    Algorithm,
    MemoryRateLimiter,
    RateLimitSettings,
    RedisRateLimiter,
    every_key,
)
from pkg.redis import EmbeddedValkey, RedisSettings, open_redis

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pkg.ratelimit import Limits, RateLimiter, Rule

    Call = Callable[[int], Awaitable[Any]]

PEER = "INCR"
TARGET = 2.0
"""A decision in Redis may cost so many times what an INCR does."""
AT_ONCE = 32
BUSY = f"Redis, {AT_ONCE} at a time, CPU"
KEYS = 1000
FOUR = ("user", "ip", "tenant", "operation")


def rule(algorithm: Algorithm) -> Rule:
    """A limit that is never reached."""
    hour = timedelta(hours=1)
    return RateLimitSettings(rate=1_000_000, per=hour, algorithm=algorithm).rule()


def decisions(make: Callable[[Limits, str], RateLimiter]) -> dict[str, Call]:
    """One key by each algorithm, and several keys by one."""
    calls: dict[str, Call] = {}
    for algorithm in Algorithm:
        calls[algorithm.value] = _one(make(every_key(rule(algorithm)), algorithm.value))
    calls["gcra, 4 keys"] = _four(make(every_key(rule(Algorithm.GCRA)), "four"))
    return calls


def _one(limiter: RateLimiter) -> Call:
    return lambda number: limiter.take(f"user:{number % KEYS}")


def _four(limiter: RateLimiter) -> Call:
    return lambda number: limiter.take_many([f"{kind}:{number % KEYS}" for kind in FOUR])


def local() -> dict[str, Call]:
    """Limiters of one process."""
    return decisions(lambda limits, _name: MemoryRateLimiter(limits, clock=SystemClock()))


def remote(client: Any, prefix: str) -> dict[str, Call]:
    """Limiters in Redis, and their peers."""
    return {
        "PING": lambda _number: client.ping(),
        PEER: lambda number: client.incr(f"{prefix}:{number % KEYS}"),
        **decisions(lambda limits, name: RedisRateLimiter(limits, client, f"{prefix}:{name}")),
    }


async def measure(
    calls: dict[str, Call],
    rounds: int,
    count: int,
    *,
    at_once: int = 1,
    clock: Callable[[], float] = process_time,
) -> dict[str, float]:
    """Microseconds per call, with so many calls at a time."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, call in calls.items():
            took = await _time(call, count, at_once, clock) / count * 1e6
            best[name] = min(took, best.get(name, took))
    return best


async def _time(call: Call, count: int, at_once: int, clock: Callable[[], float]) -> float:
    async def some(first: int) -> None:
        for number in range(first, count, at_once):
            await call(number)

    began = clock()
    await asyncio.gather(*(some(first) for first in range(at_once)))
    return clock() - began


async def compare(url: str, rounds: int, count: int) -> dict[str, dict[str, float]]:
    """All figures, by table and contestant."""
    client: Any = open_redis(RedisSettings(max_connections=AT_ONCE), url)
    prefix = "bench:ratelimit"
    try:
        return {
            "local, CPU": await measure(local(), rounds, count * 4),
            "Redis, one at a time": await measure(
                remote(client, prefix), rounds, count, clock=perf_counter
            ),
            BUSY: await measure(remote(client, prefix), rounds, count, at_once=AT_ONCE),
        }
    finally:
        keys = [key async for key in client.scan_iter(f"{prefix}:*")]
        if keys:
            await client.delete(*keys)
        await client.aclose()


async def run(url: str | None, rounds: int, count: int) -> dict[str, dict[str, float]]:
    """The figures on a server, or on one of our own."""
    if url is not None:
        return await compare(url, rounds, count)
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedValkey(Path(directory))
        await server.start()
        try:
            return await compare(server.url, rounds, count)
        finally:
            await server.stop()


def main(arguments: list[str]) -> int:
    """Prints the tables and the gate; 1 where the gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--redis", metavar="URL", help="of a server; without, one is started")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=500, help="calls per contestant and round")
    options = parser.parse_args(arguments)
    tables = asyncio.run(run(options.redis, options.rounds, options.count))
    for title, times in tables.items():
        peer = times.get(PEER)
        print(f"{title:<30}{'us per call':>12}" + ("" if peer is None else f"{'x ' + PEER:>10}"))
        for name, took in times.items():
            print(f"  {name:<28}{took:>12.1f}" + ("" if peer is None else f"{took / peer:>10.2f}"))
    # The round trip is mostly the machine's: what we add to it is CPU time.
    busy = tables[BUSY]
    ratio = busy[Algorithm.GCRA.value] / busy[PEER]
    passed = ratio <= TARGET
    print(f"gate ratelimit {ratio:.2f} {TARGET:g} {'pass' if passed else 'fail'}")
    if options.json:
        figures = {"gate": "ratelimit", "value": ratio, "target": TARGET, "microseconds": tables}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
