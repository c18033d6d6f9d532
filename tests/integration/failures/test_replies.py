"""What holds for idempotency keys and cached replies when Redis, or who holds a key, dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api.lab.v1 import Done, Glance, Task
from pkg.cache import RedisCacheStore
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.idempotency import HEADER, Claim, IdempotencySettings, State
from pkg.idempotency.redis import RedisIdempotencyStore
from pkg.middleware.cache import cache
from pkg.middleware.idempotency import idempotency
from pkg.redis import RedisClient, RedisSettings
from pkg.replies import HotReplyCache, ReplyCacheSettings
from pkg.tokens import SystemTokens
from tests.integration.redis_process import RedisProcess, eventually
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.middleware.calls import PRINCIPAL, call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pkg.rpc import Call

SECOND = timedelta(seconds=1)
ANSWER = SECOND / 5
RETRY = SECOND / 2
SETTINGS = RedisSettings(timeout=ANSWER, connect_timeout=ANSWER, retries=1, max_connections=8)
SLOWEST = 5.0
"""Seconds for any call: a few questions that are each given up after two tries, with room for a
busy machine."""
WORKERS = 8
OPERATIONS = registry().operations("lab.v1.ChainService")
REQUIRED, KEPT = OPERATIONS["MustBeKeyed"], OPERATIONS["KeptForMe"]

_HOLDER = """
import asyncio, sys
from datetime import timedelta
from pkg.idempotency import Claim
from pkg.idempotency.redis import RedisIdempotencyStore
from pkg.redis import RedisSettings, open_redis

async def main():
    store = RedisIdempotencyStore(open_redis(RedisSettings(), sys.argv[1]))
    begun = await store.begin(Claim("k", b"request", "holder"), timedelta(seconds=6))
    print(begun.state.value, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Service:
    """A process, as much of it as is asked here."""

    def __init__(self, url: str) -> None:
        clock, tokens = SystemClock(), SystemTokens()
        self.redis = RedisClient(SETTINGS, url)
        self.served: dict[str, int] = {}
        """By the name in the request, how often."""
        self.replies = HotReplyCache(
            RedisCacheStore(self.redis.client),
            registry(),
            ReplyCacheSettings(retry_after=RETRY),
            clock=clock,
            tokens=tokens,
            chance=lambda: 0.5,
        )
        self.once = idempotency(
            RedisIdempotencyStore(self.redis.client),
            registry(),
            IdempotencySettings(retry_after=RETRY),
            clock=clock,
            tokens=tokens,
        )(self._serve, REQUIRED)
        self.kept = cache(self.replies)(self._serve, KEPT)

    async def write(self, key: str) -> Done:
        """One call with a key."""
        made = call(REQUIRED, headers={HEADER: key}, principal=PRINCIPAL)
        reply: Done = await self.once(made, Task(name=key))
        return reply

    async def read(self, name: str) -> Done:
        """One call of a cached operation."""
        reply: Done = await self.kept(call(KEPT, principal=PRINCIPAL), Glance(name=name))
        return reply

    async def back(self) -> bool:
        """Whether keys are looked up."""
        try:
            await self.write("probe")
        except Fault:
            return False
        return True

    async def stop(self) -> None:
        await self.replies.stop()
        await self.redis.stop()

    async def _serve(self, call: Call, message: Any) -> Done:
        times = self.served[message.name] = self.served.get(message.name, 0) + 1
        await asyncio.sleep(0.001)
        return Done(name=message.name, times=times)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    made = RedisProcess(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "no")
    try:
        yield made
    finally:
        made.stop()


async def test_absent_at_the_start_and_there_later(server: RedisProcess) -> None:
    service = Service(server.url)
    async with asyncio.timeout(SLOWEST):
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await service.write("a")
        assert [(await service.read("b")).times for _ in range(2)] == [1, 2]

    await server.start()
    await eventually(service.back)
    assert [(await service.write("a")).times for _ in range(2)] == [1, 1]

    async def kept() -> bool:
        one, two = [(await service.read("b")).times for _ in range(2)]
        return one == two

    await eventually(kept)
    await service.stop()


async def test_killed_under_load_and_brought_back(server: RedisProcess) -> None:
    await server.start()
    service = Service(server.url)
    done = asyncio.Event()
    answered = {"written": 0, "read": 0, "UNAVAILABLE": 0, "IDEMPOTENCY_IN_PROGRESS": 0}
    asked, slowest = 0, 0.0
    told: dict[str, set[int]] = {}
    """What was answered under each key."""

    async def write(worker: int, turn: int) -> None:
        key = f"{worker}-{turn // 2}"  # each twice
        reply = await service.write(key)
        told.setdefault(key, set()).add(reply.times)
        answered["written"] += 1

    async def read(worker: int, turn: int) -> None:
        assert (await service.read(f"r{worker}-{turn // 2}")).times
        answered["read"] += 1

    async def work(worker: int) -> None:
        nonlocal asked, slowest
        turn = 0
        while not done.is_set():
            for ask in (write, read):
                asked += 1
                began = time.monotonic()
                try:
                    await ask(worker, turn)
                except Fault as fault:
                    answered[fault.reason] += 1
                slowest = max(slowest, time.monotonic() - began)
            turn += 1
            await asyncio.sleep(0.002)

    workers = [asyncio.create_task(work(number)) for number in range(WORKERS)]

    async def written_often() -> bool:
        return answered["written"] > 50

    await eventually(written_often)
    server.kill()

    async def refused_often() -> bool:
        return answered["UNAVAILABLE"] > 20

    await eventually(refused_often)
    await server.start()
    await eventually(service.back)
    written, answered["written"] = answered["written"], 0
    await eventually(written_often)
    done.set()
    await asyncio.gather(*workers)

    answered["written"] += written
    assert sum(answered.values()) == asked
    assert slowest < SLOWEST
    # Who got an answer got the same each time, and nothing was done twice: a key whose result was
    # not kept is taken for longer than this test takes.
    assert all(each == {1} for each in told.values())
    assert all(service.served[key] == 1 for key in told)
    await service.stop()


async def test_frozen_calls_are_answered_in_time(server: RedisProcess) -> None:
    await server.start()
    service = Service(server.url)
    assert (await service.write("a")).times == 1
    assert (await service.read("b")).times == 1
    server.freeze()

    began = time.monotonic()
    outcomes = await asyncio.gather(
        *(service.write(str(number)) for number in range(100)), return_exceptions=True
    )
    assert {str(each) for each in outcomes} == {"UNAVAILABLE"}
    assert [(await service.read("b")).times for _ in range(2)] == [2, 3]
    assert time.monotonic() - began < 2 * SLOWEST
    assert "1" not in service.served

    server.thaw()
    await eventually(service.back)
    assert (await service.write("a")).times == 1
    await service.stop()


async def test_the_key_of_a_killed_process_is_free_when_its_lease_is_over(
    server: RedisProcess,
) -> None:
    await server.start()
    redis = RedisClient(SETTINGS, server.url)
    store = RedisIdempotencyStore(redis.client)
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _HOLDER,
        server.url,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"begun\n"
        holder.send_signal(signal.SIGKILL)
        await holder.wait()
    finally:
        if holder.returncode is None:
            holder.kill()
            await holder.wait()
    mine = Claim("k", b"request", "mine")
    assert (await store.begin(mine, SECOND)).state is State.RUNNING

    async def free() -> bool:
        return (await store.begin(mine, SECOND)).state is State.BEGUN

    began = time.monotonic()
    await eventually(free)
    assert time.monotonic() - began < 6 + SLOWEST
    await redis.stop()
