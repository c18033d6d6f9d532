"""What every store of idempotency keys does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.errors import Fault
from pkg.idempotency import (
    Begun,
    Claim,
    IdempotencyStore,
    MemoryIdempotencyStore,
    State,
)
from pkg.idempotency.redis import RedisIdempotencyStore
from pkg.redis import RedisSettings, open_redis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.servers import Backend

LEASE = timedelta(seconds=30)
DAY = timedelta(hours=24)
MOMENT = timedelta(seconds=10)
REQUEST, ANOTHER = bytes(range(32)), bytes(32)
RESULT = b"\x00\xffreply\r\n"

BEGUN, RUNNING, OTHER = Begun(State.BEGUN), Begun(State.RUNNING), Begun(State.OTHER)
DONE = Begun(State.DONE, RESULT)


def claim(who: str = "first", *, key: str = "k", request: bytes = REQUEST) -> Claim:
    return Claim(key, request, who)


@pytest.fixture
def store(backend: Backend) -> IdempotencyStore:
    if backend.redis is None:
        return MemoryIdempotencyStore(backend.clock)
    return RedisIdempotencyStore(backend.redis, backend.prefix + "idempotency")


async def test_a_free_key_is_taken_and_its_result_given_again(store: IdempotencyStore) -> None:
    assert await store.begin(claim(), LEASE) == BEGUN
    assert await store.finish(claim(), RESULT, DAY)

    assert await store.begin(claim("second"), LEASE) == DONE
    assert await store.begin(claim("third"), LEASE) == DONE


async def test_who_comes_while_it_is_served_is_told_so(store: IdempotencyStore) -> None:
    await store.begin(claim(), LEASE)

    assert await store.begin(claim("second"), LEASE) == RUNNING


async def test_of_many_at_once_one_begins(store: IdempotencyStore) -> None:
    answers = await asyncio.gather(*(store.begin(claim(str(each)), LEASE) for each in range(20)))

    assert sorted(answers, key=answers.count) == [BEGUN, *[RUNNING] * 19]


async def test_another_request_is_told_apart_while_and_after_it_is_served(
    store: IdempotencyStore,
) -> None:
    await store.begin(claim(), LEASE)
    assert await store.begin(claim("second", request=ANOTHER), LEASE) == OTHER

    await store.finish(claim(), RESULT, DAY)
    assert await store.begin(claim("second", request=ANOTHER), LEASE) == OTHER
    assert await store.begin(claim("third"), LEASE) == DONE


async def test_an_abandoned_key_is_free_for_any_request(store: IdempotencyStore) -> None:
    await store.begin(claim(), LEASE)
    await store.abandon(claim())

    assert await store.begin(claim("second", request=ANOTHER), LEASE) == BEGUN


async def test_a_key_whose_process_died_is_free_when_its_lease_is_over(
    store: IdempotencyStore, backend: Backend
) -> None:
    await store.begin(claim(), LEASE)
    await backend.advance(LEASE - MOMENT)
    assert await store.begin(claim("second"), LEASE) == RUNNING

    await backend.advance(2 * MOMENT)
    assert await store.begin(claim("second"), LEASE) == BEGUN


async def test_a_result_is_kept_for_its_time(store: IdempotencyStore, backend: Backend) -> None:
    await store.begin(claim(), LEASE)
    await store.finish(claim(), RESULT, DAY)
    await backend.advance(DAY - MOMENT)
    assert await store.begin(claim("second"), LEASE) == DONE

    await backend.advance(2 * MOMENT)
    assert await store.begin(claim("second"), LEASE) == BEGUN


async def test_who_was_overtaken_neither_finishes_nor_frees_the_key_of_the_other(
    store: IdempotencyStore, backend: Backend
) -> None:
    await store.begin(claim(), LEASE)
    await backend.advance(LEASE + MOMENT)
    await store.begin(claim("second"), LEASE)

    assert not await store.finish(claim(), b"late", DAY)
    await store.abandon(claim())
    assert await store.begin(claim("third"), LEASE) == RUNNING
    assert await store.finish(claim("second"), RESULT, DAY)
    assert not await store.finish(claim(), b"later", DAY)
    assert await store.begin(claim("third"), LEASE) == DONE


async def test_who_is_late_and_alone_keeps_its_result(
    store: IdempotencyStore, backend: Backend
) -> None:
    await store.begin(claim(), LEASE)
    await backend.advance(LEASE + MOMENT)

    assert await store.finish(claim(), RESULT, DAY)
    assert await store.begin(claim("second"), LEASE) == DONE
    assert await store.begin(claim("third", request=ANOTHER), LEASE) == OTHER


async def test_each_step_may_be_repeated(store: IdempotencyStore) -> None:
    assert await store.begin(claim(), LEASE) == BEGUN
    assert await store.begin(claim(), LEASE) == BEGUN
    await store.abandon(claim())
    await store.abandon(claim())
    assert await store.begin(claim(), LEASE) == BEGUN
    assert await store.finish(claim(), RESULT, DAY)
    assert await store.finish(claim(), RESULT, DAY)
    assert await store.begin(claim("second"), LEASE) == DONE


async def test_a_result_that_is_kept_cannot_be_abandoned(store: IdempotencyStore) -> None:
    await store.begin(claim(), LEASE)
    await store.finish(claim(), RESULT, DAY)
    await store.abandon(claim())

    assert await store.begin(claim("second"), LEASE) == DONE


async def test_an_empty_result_is_one(store: IdempotencyStore) -> None:
    await store.begin(claim(), LEASE)
    await store.finish(claim(), b"", DAY)

    assert await store.begin(claim("second"), LEASE) == Begun(State.DONE, b"")


@pytest.mark.parametrize("key", ["", "with space", "密码", "a{b}:c%", "x" * 300])
async def test_a_key_is_any_text(store: IdempotencyStore, key: str) -> None:
    await store.begin(claim(key=key), LEASE)

    assert await store.begin(claim("second", key=key), LEASE) == RUNNING
    assert await store.begin(claim("second", key=key + "!"), LEASE) == BEGUN


async def test_nothing_is_kept_for_ever(redis_backend: Backend) -> None:
    store = RedisIdempotencyStore(redis_backend.redis, redis_backend.prefix + "idempotency")
    await store.begin(claim(key="running"), LEASE)
    await store.begin(claim(key="done"), LEASE)
    await store.finish(claim(key="done"), RESULT, DAY)

    assert 20 < await redis_backend.ttl("idempotency:{running}") <= 30
    assert await redis_backend.ttl("idempotency:{done}") > 86_000


async def test_without_its_server_nothing_can_be_told(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    store = RedisIdempotencyStore(client)

    with pytest.raises(Fault, match="UNAVAILABLE"):
        await store.begin(claim(), LEASE)
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await store.finish(claim(), RESULT, DAY)
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await store.abandon(claim())
    await client.aclose()
