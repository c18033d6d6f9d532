"""A store that fails is left alone for a while."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.idempotency import Claim, GuardedIdempotencyStore, State
from tests.unit.pkg.idempotency.failing import FailingStore

LEASE = timedelta(seconds=30)
RETRY = timedelta(seconds=1)
CLAIM = Claim("k", b"request", "first")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> FailingStore:
    return FailingStore(clock)


@pytest.fixture
def guarded(store: FailingStore, clock: FakeClock) -> GuardedIdempotencyStore:
    return GuardedIdempotencyStore(store, clock=clock, retry_after=RETRY)


async def test_a_store_that_answers_is_always_asked(
    guarded: GuardedIdempotencyStore, store: FailingStore
) -> None:
    assert (await guarded.begin(CLAIM, LEASE)).state is State.BEGUN
    await guarded.abandon(CLAIM)
    assert (await guarded.begin(CLAIM, LEASE)).state is State.BEGUN
    assert await guarded.finish(CLAIM, b"result", LEASE)
    assert store.asked == ["begin", "abandon", "begin", "finish"]


async def test_after_a_failure_it_is_asked_now_and_then(
    guarded: GuardedIdempotencyStore,
    store: FailingStore,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    store.away = True
    for _ in range(3):
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await guarded.begin(CLAIM, LEASE)
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await guarded.abandon(CLAIM)
    assert store.asked == ["begin"]

    clock.advance(RETRY)
    for _ in range(3):
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await guarded.begin(CLAIM, LEASE)
    assert store.asked == ["begin", "begin"]

    store.away = False
    clock.advance(RETRY)
    for _ in range(3):
        await guarded.begin(CLAIM, LEASE)
    assert len(store.asked) == 5
    said = [record.levelname for record in caplog.records]
    assert said == ["WARNING", "INFO"]


async def test_a_result_is_always_tried_to_be_kept(
    guarded: GuardedIdempotencyStore, store: FailingStore
) -> None:
    store.away = True
    for _ in range(2):
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await guarded.finish(CLAIM, b"result", LEASE)
    assert store.asked == ["finish", "finish"]

    store.away = False
    assert await guarded.finish(CLAIM, b"result", LEASE)
    assert (await guarded.begin(CLAIM, LEASE)).state is State.DONE
