"""A captcha is a picture and a sound of its digits, and does not tell them otherwise."""

from __future__ import annotations

import base64
import io
import struct
import wave
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.captcha import CaptchaRenderer, CaptchaService, CaptchaSettings, MemoryChallenges
from pkg.clock import FakeClock
from pkg.tokens import FakeTokens, SystemTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SETTINGS = CaptchaSettings(length=5, width=200, height=60)


@pytest.fixture
async def captcha() -> AsyncIterator[CaptchaService]:
    made = CaptchaService(SETTINGS, MemoryChallenges(FakeClock()), FakeTokens())
    await made.start()
    yield made
    await made.stop()


async def test_the_picture_is_a_png_of_the_configured_size(captcha: CaptchaService) -> None:
    challenge = await captcha.create()

    head, _, data = challenge.picture.partition(",")
    picture = base64.b64decode(data)
    assert head == "data:image/png;base64"
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (200, 60)
    assert challenge.length == 5
    assert captcha.name == "captcha"


async def test_the_sound_is_a_wav_of_some_seconds(captcha: CaptchaService) -> None:
    for _ in range(2):
        sound = await captcha.audio((await captcha.create()).id)
        assert sound is not None
        with wave.open(io.BytesIO(sound)) as file:
            assert 3 < file.getnframes() / file.getframerate() < 40


def test_pictures_of_the_same_digits_differ() -> None:
    renderer = CaptchaRenderer(SETTINGS)

    assert renderer.image("12345") != renderer.image("12345")


async def test_each_captcha_has_an_id_and_digits_of_its_own() -> None:
    store = MemoryChallenges(FakeClock())
    captcha = CaptchaService(SETTINGS, store, SystemTokens())

    ids = [(await captcha.create()).id for _ in range(4)]
    answers = [await store.peek(each) for each in ids]
    await captcha.stop()

    assert len(set(ids)) == 4
    assert len(set(answers)) > 1
    assert all(each is not None and each.isdigit() and len(each) == 5 for each in answers)


async def test_memory_forgets_the_oldest_beyond_its_limit() -> None:
    store = MemoryChallenges(FakeClock(), most=2)

    for each in ("a", "b", "b", "c"):
        await store.put(each, "1", timedelta(minutes=1))

    assert [await store.peek(each) for each in ("a", "b", "c")] == [None, "1", "1"]
