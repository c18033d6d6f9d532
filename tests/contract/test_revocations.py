"""What every store of revocations does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.errors import Fault
from pkg.jwt import (
    FollowedRevocations,
    MemoryRevocations,
    RedisRevocations,
    Revocations,
    RevocationSettings,
)
from pkg.redis import RedisSettings, open_redis
from tests.contract import servers
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.contract.servers import Backend

TTL = timedelta(minutes=15)
MOMENT = timedelta(seconds=10)
SOON = 10.0
"""Seconds: far more than it takes."""
HOW = ("read", "own", "heard")
"""Read at each check; held in memory, what this process revokes and what another does."""


@pytest.fixture(
    params=[
        (servers.MEMORY, "memory"),
        *((servers.EMBEDDED, how) for how in HOW),
        *(pytest.param((servers.SERVER, how), marks=pytest.mark.integration) for how in HOW),
    ],
    ids="-".join,
)
async def world(
    request: pytest.FixtureRequest, embedded_url: str
) -> AsyncIterator[tuple[Backend, Revocations]]:
    """A backend, and an adapter on it that is ready."""
    kind, how = request.param
    url = servers.address("TEST_REDIS_URL") if kind == servers.SERVER else embedded_url
    async with servers.backend(kind, url) as backend:
        prefix = backend.prefix + "jwt"
        if how == "memory":
            yield backend, MemoryRevocations(backend.clock)
        elif how == "read":
            yield backend, RedisRevocations(backend.redis, prefix)
        else:
            async with in_step(backend) as followed:
                here = followed.on(backend.redis)
                there = RedisRevocations(backend.redis, prefix)
                writes = here if how == "own" else there
                yield backend, Heard(followed, here, writes, there)


@pytest.fixture
def backend(world: tuple[Backend, Revocations]) -> Backend:
    return world[0]


@pytest.fixture
def revocations(world: tuple[Backend, Revocations]) -> Revocations:
    return world[1]


def followed_of(
    backend: Backend,
    settings: RevocationSettings | None = None,
    registry: CollectorRegistry | None = None,
) -> FollowedRevocations:
    return FollowedRevocations(
        settings or RevocationSettings(),
        clock=backend.clock,
        chance=lambda: 0.5,
        registry=registry,
        prefix=backend.prefix + "jwt",
    )


@asynccontextmanager
async def in_step(
    backend: Backend,
    settings: RevocationSettings | None = None,
    registry: CollectorRegistry | None = None,
) -> AsyncIterator[FollowedRevocations]:
    """A process that follows, once it is in step."""
    followed = followed_of(backend, settings, registry)
    watch = followed.watch(backend.redis)
    await watch.start()
    try:
        await until(lambda: followed.held.in_step)
        yield followed
    finally:
        await watch.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - a server signals no event
            await asyncio.sleep(0.005)


class Heard:
    """What a process that follows makes of what it, or another one, revokes, once it was heard."""

    def __init__(
        self,
        followed: FollowedRevocations,
        here: Revocations,
        writes: Revocations,
        end: Revocations,
    ) -> None:
        """`writes` makes revocations; `end` is of another process, and makes one more."""
        self._followed = followed
        self._writes = writes
        self._end = end
        self._told = 0
        self.check = here.check

    async def end_session(self, session: str, ttl: timedelta) -> None:
        await self._writes.end_session(session, ttl)
        await self._heard()

    async def raise_version(self, subject: str, version: int, ttl: timedelta) -> None:
        await self._writes.raise_version(subject, version, ttl)
        await self._heard()

    async def _heard(self) -> None:
        """Messages come in order: when one is heard, those before it have been."""
        self._told += 1
        last = f"last heard {self._told}"
        await self._end.end_session(last, TTL)
        await until(lambda: self._followed.held.refused(last, "", 0) is True)


async def good(
    store: Revocations, session: str = "s", subject: str = "u", version: int = 1
) -> bool:
    try:
        await store.check(session, subject, version)
    except Fault as fault:
        if fault.reason != "UNAUTHENTICATED":
            raise
        return False
    return True


async def test_what_was_never_revoked_is_good(revocations: Revocations) -> None:
    assert await good(revocations)
    assert await good(revocations, version=0)


async def test_an_ended_session_is_refused_and_others_go_on(revocations: Revocations) -> None:
    await revocations.end_session("s", TTL)

    assert not await good(revocations, "s")
    assert await good(revocations, "other")


async def test_a_raised_version_refuses_the_older_tokens_of_that_subject(
    revocations: Revocations,
) -> None:
    await revocations.raise_version("u", 3, TTL)

    assert not await good(revocations, version=2)
    assert await good(revocations, version=3)
    assert await good(revocations, subject="other", version=1)


async def test_a_version_never_sinks(revocations: Revocations) -> None:
    await revocations.raise_version("u", 3, TTL)
    await revocations.raise_version("u", 2, TTL)

    assert not await good(revocations, version=2)


async def test_large_versions_are_kept_exactly(revocations: Revocations) -> None:
    await revocations.raise_version("u", 2**50 + 1, TTL)

    assert not await good(revocations, version=2**50)
    assert await good(revocations, version=2**50 + 1)


async def test_revocations_are_forgotten_when_no_token_can_be_good_any_more(
    revocations: Revocations, backend: Backend
) -> None:
    await revocations.end_session("s", TTL)
    await revocations.raise_version("u", 3, TTL)

    await backend.advance(TTL - MOMENT)
    assert not await good(revocations, "s")
    assert not await good(revocations, version=2)

    await backend.advance(2 * MOMENT)
    assert await good(revocations, "s", version=2)


async def test_a_shorter_time_never_replaces_a_longer_one(
    revocations: Revocations, backend: Backend
) -> None:
    await revocations.end_session("s", TTL)
    await revocations.end_session("s", MOMENT)
    await revocations.raise_version("u", 3, TTL)
    await revocations.raise_version("u", 4, MOMENT)

    await backend.advance(TTL / 2)

    assert not await good(revocations, "s")
    assert not await good(revocations, version=3)


async def test_the_time_can_be_extended(revocations: Revocations, backend: Backend) -> None:
    await revocations.end_session("s", MOMENT)
    await revocations.end_session("s", TTL)

    await backend.advance(TTL / 2)

    assert not await good(revocations, "s")


async def test_without_its_server_every_token_is_in_doubt(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    revocations = RedisRevocations(client)

    with pytest.raises(Fault, match="UNAVAILABLE"):
        await revocations.check("s", "u", 1)
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await revocations.end_session("s", TTL)
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await revocations.raise_version("u", 1, TTL)
    await client.aclose()


def reads(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("revocations_reads_total")


async def test_in_step_no_check_reads(redis_backend: Backend) -> None:
    registry = CollectorRegistry()
    async with in_step(redis_backend, registry=registry) as followed:
        here = followed.on(redis_backend.redis)
        await here.end_session("s", TTL)

        assert not await good(here, "s")
        assert await good(here, "other", "somebody new")
        assert reads(registry) == 0
        assert registry.get_sample_value("revocations_in_step") == 1
        assert registry.get_sample_value("revocations_held") == 1


async def test_what_this_process_revokes_it_knows_at_once(redis_backend: Backend) -> None:
    async with in_step(redis_backend) as followed:
        here = followed.on(redis_backend.redis)

        await here.end_session("s", TTL)
        assert followed.held.refused("s", "u", 1)
        await here.raise_version("u", 3, TTL)
        assert followed.held.refused("other", "u", 2)


async def test_all_loops_of_a_process_know_what_one_has_revoked(redis_backend: Backend) -> None:
    async with in_step(redis_backend) as followed:
        here = followed.on(redis_backend.redis)

        async def there() -> bool:
            client = open_redis(PATIENT, redis_backend.url)
            revocations = followed.on(client)
            await revocations.end_session("s", TTL)
            before = await good(revocations, "s")
            await client.aclose()
            return before

        thread = asyncio.create_task(asyncio.to_thread(asyncio.run, there()))
        assert not await thread
        assert not await good(here, "s")


async def test_what_was_revoked_before_the_start_is_known(redis_backend: Backend) -> None:
    there = RedisRevocations(redis_backend.redis, redis_backend.prefix + "jwt")
    await there.end_session("s", TTL)
    await there.raise_version("u", 2**50 + 1, TTL)
    await redis_backend.redis.set(redis_backend.prefix + "jwt:other", "no revocation")

    async with in_step(redis_backend) as followed:
        assert len(followed.held) == 2
        assert followed.held.refused("s", "other", 1)
        assert followed.held.refused("other", "u", 2**50)
        assert followed.held.refused("other", "u", 2**50 + 1) is False
        redis_backend.clock.advance(TTL)
        assert not followed.held.refused("s", "u", 1)


async def test_a_prefix_that_looks_like_a_pattern_is_none(redis_backend: Backend) -> None:
    redis_backend.prefix += "[a]*?"
    there = RedisRevocations(redis_backend.redis, redis_backend.prefix + "jwt")
    await there.end_session("s", TTL)

    async with in_step(redis_backend) as followed:
        assert followed.held.refused("s", "u", 1)


async def test_many_are_loaded(redis_backend: Backend) -> None:
    prefix = redis_backend.prefix + "jwt"
    async with redis_backend.redis.pipeline(transaction=False) as pipeline:
        for number in range(2500):
            pipeline.set(f"{prefix}:session:s{number}", "1", ex=TTL)
            pipeline.set(f"{prefix}:version:u{number}", "3", ex=TTL)
        await pipeline.execute()

    async with in_step(redis_backend) as followed:
        assert len(followed.held) == 5000
        assert all(followed.held.refused(f"s{number}", "", 1) for number in range(2500))
        assert all(followed.held.refused("", f"u{number}", 2) for number in range(2500))


async def test_more_than_may_be_held_are_read(
    redis_backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CollectorRegistry()
    there = RedisRevocations(redis_backend.redis, redis_backend.prefix + "jwt")
    settings = RevocationSettings(max_entries=2)
    async with in_step(redis_backend, settings, registry) as followed:
        here = followed.on(redis_backend.redis)
        await here.end_session("s1", TTL)
        await there.end_session("s2", TTL)
        await there.end_session("s3", TTL)

        await until(lambda: not followed.held.in_step)
        await until(lambda: bool(registry.get_sample_value("revocations_overflows_total")))
        assert [await good(here, f"s{number}") for number in range(1, 5)] == [False] * 3 + [True]
        assert len(followed.held) <= 2
        assert reads(registry)
        assert "more than 2 revocations" in caplog.text

        # The first ends: there is room again.
        redis_backend.clock.advance(TTL)
        await redis_backend.redis.delete(redis_backend.prefix + "jwt:session:s1")
        await until(lambda: followed.held.in_step)
        assert [await good(here, f"s{number}") for number in (2, 3, 4)] == [False, False, True]


async def test_what_this_process_revokes_beyond_the_limit_is_read(redis_backend: Backend) -> None:
    async with in_step(redis_backend, RevocationSettings(max_entries=1)) as followed:
        here = followed.on(redis_backend.redis)
        await here.end_session("s1", TTL)
        await here.raise_version("u", 3, TTL)

        assert not followed.held.in_step
        assert not await good(here, "s1")
        assert not await good(here, version=2)


async def test_where_none_may_be_held_each_check_reads(redis_backend: Backend) -> None:
    registry = CollectorRegistry()
    followed = followed_of(redis_backend, RevocationSettings(max_entries=0), registry)
    watch = followed.watch(redis_backend.redis)
    here = followed.on(redis_backend.redis)
    await watch.start()
    await here.end_session("s", TTL)

    assert not await good(here, "s")
    assert await good(here, "other")
    assert reads(registry) == 2
    await watch.stop()


async def test_before_the_start_and_after_the_stop_each_check_reads(redis_backend: Backend) -> None:
    there = RedisRevocations(redis_backend.redis, redis_backend.prefix + "jwt")
    followed = followed_of(redis_backend)
    here, watch = followed.on(redis_backend.redis), followed.watch(redis_backend.redis)
    await there.end_session("s1", TTL)
    assert not await good(here, "s1")

    before = asyncio.all_tasks()
    await watch.start()
    await until(lambda: followed.held.in_step)
    await watch.stop()

    assert asyncio.all_tasks() == before
    await there.end_session("s2", TTL)
    assert not await good(here, "s2")


async def test_a_connection_that_breaks_puts_all_in_doubt_until_all_is_loaded_again(
    redis_backend: Backend,
) -> None:
    there = RedisRevocations(redis_backend.redis, redis_backend.prefix + "jwt")
    client: Any = open_redis(PATIENT, redis_backend.url)
    redis_backend.redis, other = client, redis_backend.redis
    async with in_step(redis_backend) as followed:
        here = followed.on(client)
        for number in range(3):
            await other.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await until(lambda: not followed.held.in_step)
            await there.end_session(f"s{number}", TTL)  # nobody hears of it

            assert not await good(here, f"s{number}")
            await until(lambda: followed.held.in_step)
            assert followed.held.refused(f"s{number}", "u", 1)
    redis_backend.redis = other
    await client.aclose()


@pytest.mark.parametrize("text", [b"", b"x", b"s", b"s x y", b"v 1 2", b"v x 2 u", b"\xff 1 2"])
async def test_a_message_that_is_not_understood_puts_all_in_doubt(
    redis_backend: Backend, text: bytes
) -> None:
    async with in_step(redis_backend) as followed:
        await redis_backend.redis.publish(redis_backend.prefix + "jwt:revocations", text)

        await until(lambda: not followed.held.in_step)
        await until(lambda: followed.held.in_step)


async def test_followed_without_its_server_every_token_is_in_doubt(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    backend = servers.Backend(servers.EMBEDDED, redis=client)
    followed = followed_of(backend)
    watch, here = followed.watch(client), followed.on(client)
    await watch.start()

    for _ in range(3):
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await here.check("s", "u", 1)
        await asyncio.sleep(0)
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await here.end_session("s", TTL)
    assert not followed.held.refused("s", "u", 1)
    await watch.stop()
    await client.aclose()
