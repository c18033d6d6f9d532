"""What every store of captchas does, and what a captcha on it does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.captcha import (
    Attempt,
    CaptchaService,
    CaptchaSettings,
    Challenges,
    FakeRenderer,
    MemoryChallenges,
    RedisChallenges,
)
from pkg.errors import Fault
from pkg.redis import RedisSettings, open_redis
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.contract.servers import Backend

TTL = timedelta(minutes=5)
MOMENT = timedelta(seconds=10)


@pytest.fixture
def store(backend: Backend) -> Challenges:
    if backend.redis is None:
        return MemoryChallenges(backend.clock)
    return RedisChallenges(backend.redis, backend.prefix + "captcha")


@pytest.fixture
async def captcha(store: Challenges) -> AsyncIterator[CaptchaService]:
    made = CaptchaService(CaptchaSettings(), store, FakeTokens(), FakeRenderer())
    yield made
    await made.stop()


async def test_an_answer_is_kept_for_its_time(store: Challenges, backend: Backend) -> None:
    await store.put("a", "123", TTL)

    await backend.advance(TTL - MOMENT)
    assert await store.peek("a") == "123"

    await backend.advance(2 * MOMENT)
    assert await store.peek("a") is None
    assert await store.attempt("a", 3) is None
    assert not await store.consume("a")


async def test_tries_are_counted_and_the_last_one_forgets(store: Challenges) -> None:
    await store.put("a", "123", TTL)

    tries = [await store.attempt("a", 2) for _ in range(3)]

    assert tries == [Attempt("123", last=False), Attempt("123", last=True), None]


async def test_peeking_is_no_try(store: Challenges) -> None:
    await store.put("a", "123", TTL)
    await store.peek("a")

    assert await store.attempt("a", 2) == Attempt("123", last=False)


async def test_a_try_does_not_stretch_the_time(store: Challenges, backend: Backend) -> None:
    await store.put("a", "123", TTL)
    await backend.advance(TTL / 2)
    await store.attempt("a", 9)

    await backend.advance(TTL / 2 + MOMENT)

    assert await store.peek("a") is None


async def test_one_of_many_consumes(store: Challenges) -> None:
    await store.put("a", "123", TTL)

    won = await asyncio.gather(*(store.consume("a") for _ in range(5)))

    assert sorted(won) == [False, False, False, False, True]


async def test_what_was_never_put_is_not_there(store: Challenges) -> None:
    assert await store.peek("x") is None
    assert await store.attempt("x", 3) is None
    assert not await store.consume("x")


async def test_putting_again_starts_anew(store: Challenges) -> None:
    await store.put("a", "123", TTL)
    await store.attempt("a", 2)
    await store.put("a", "456", TTL)

    assert await store.attempt("a", 2) == Attempt("456", last=False)


ANSWER = FakeTokens().digits(6)


async def test_the_right_answer_is_good_once(captcha: CaptchaService) -> None:
    challenge = await captcha.create()

    assert await captcha.verify(challenge.id, f" {ANSWER} ")
    assert not await captcha.verify(challenge.id, ANSWER)
    assert await captcha.audio(challenge.id) is None


async def test_of_several_at_once_one_is_let_through(captcha: CaptchaService) -> None:
    challenge = await captcha.create()

    verdicts = await asyncio.gather(*(captcha.verify(challenge.id, ANSWER) for _ in range(3)))

    assert sorted(verdicts) == [False, False, True]


async def test_the_last_try_may_be_the_right_one(captcha: CaptchaService) -> None:
    challenge = await captcha.create()

    verdicts = [await captcha.verify(challenge.id, each) for each in ("1", "", ANSWER)]

    assert verdicts == [False, False, True]


async def test_after_the_last_try_the_right_answer_is_too_late(captcha: CaptchaService) -> None:
    challenge = await captcha.create()

    verdicts = [await captcha.verify(challenge.id, each) for each in ("1", "\ud800", "3", ANSWER)]

    assert verdicts == [False] * 4


async def test_after_its_time_the_right_answer_is_too_late(
    captcha: CaptchaService, backend: Backend
) -> None:
    challenge = await captcha.create()
    await backend.advance(TTL + MOMENT)

    assert not await captcha.verify(challenge.id, ANSWER)


@pytest.mark.parametrize("stranger", ["", "x", "a\nb", "é", "\ud800", "x" * 65])
async def test_an_id_of_somebody_elses_is_not_known(captcha: CaptchaService, stranger: str) -> None:
    assert not await captcha.verify(stranger, ANSWER)
    assert await captcha.audio(stranger) is None


async def test_it_can_be_heard(captcha: CaptchaService) -> None:
    challenge = await captcha.create()

    assert await captcha.audio(challenge.id) == f"audio:{ANSWER}".encode()
    assert await captcha.verify(challenge.id, ANSWER)


async def test_without_its_server_there_is_no_captcha(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    captcha = CaptchaService(
        CaptchaSettings(), RedisChallenges(client), FakeTokens(), FakeRenderer()
    )

    with pytest.raises(Fault, match="UNAVAILABLE"):
        await captcha.create()
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await captcha.verify("a", "1")
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await captcha.audio("a")
    await captcha.stop()
    await client.aclose()
