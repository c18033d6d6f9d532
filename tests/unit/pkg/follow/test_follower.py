"""What was heard last stays; news is told once; outages end by themselves."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import FakeClock
from pkg.follow import Follower

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import pytest

SECOND = timedelta(seconds=1)


class Radio:
    """A source that says what a test tells it to say; a wait passes when the test lets it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.taken: list[str] = []
        self.failures: list[str] = []
        self.outages: list[str] = []
        self.waits: list[timedelta] = []
        self.watches = 0
        self.refuse: Exception | None = None
        self._said: asyncio.Queue[str | Exception | None] = asyncio.Queue()

    async def watch(self) -> AsyncGenerator[str, None]:
        self.watches += 1
        while True:
            said = await self._said.get()
            try:
                if said is None:
                    return
                if isinstance(said, Exception):
                    raise said
                yield said
            finally:
                self._said.task_done()

    async def say(self, *said: str | Exception | None) -> None:
        """Return when all of it has been dealt with."""
        for each in said:
            self._said.put_nowait(each)
        await self._said.join()

    async def take(self, value: str) -> None:
        self.taken.append(value)
        if self.refuse is not None:
            raise self.refuse

    async def pause(self, time: timedelta) -> None:
        self.waits.append(time)

    def follower(self, **changes: Any) -> Follower[str]:
        return Follower(
            "radio",
            self.watch,
            self.take,
            backoff=Backoff(BackoffSettings(first=SECOND, factor=2), lambda: 0.0),
            on_failure=lambda error: self.failures.append(str(error)),
            on_outage=lambda error: self.outages.append(str(error)),
            clock=self.clock,
            pause=self.pause,
            **changes,
        )


async def test_news_is_told_once() -> None:
    radio = Radio()
    follower = radio.follower()
    assert not follower.heard
    await follower.start()
    await radio.say("a", "a", "b", "a")
    await follower.stop()

    assert radio.taken == ["a", "b", "a"]
    assert follower.heard


async def test_what_is_known_already_is_no_news() -> None:
    radio = Radio()
    follower = radio.follower(known="a")
    assert follower.heard
    await follower.start()
    await radio.say("a", "b")
    await follower.stop()

    assert radio.taken == ["b"]


async def test_an_outage_is_survived_and_what_is_known_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    radio = Radio()
    follower = radio.follower()
    await follower.start()
    await radio.say("a")
    await radio.say(*[OSError("gone")] * 4)
    assert follower.note == "stale since 2026-01-01T00:00:00+00:00"
    await radio.say("a")
    assert (follower.note, follower.stale_since) == ("", None)
    await radio.say("b")
    await follower.stop()

    assert radio.taken == ["a", "b"]
    assert radio.waits == [SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert radio.failures == ["gone"] * 4
    assert radio.outages == ["gone"]
    assert caplog.text.count("cannot be followed") == 1
    assert "radio is followed again after 4 failures" in caplog.text


async def test_a_blip_is_no_outage_to_tell_of() -> None:
    radio = Radio()
    follower = radio.follower()
    await follower.start()
    for _ in range(3):
        await radio.say(OSError("gone"), OSError("gone"), "a")
    await follower.stop()

    assert radio.outages == []
    assert radio.waits == [SECOND, 2 * SECOND] * 3


async def test_a_source_that_ends_is_an_outage() -> None:
    radio = Radio()
    follower = radio.follower()
    await follower.start()
    await radio.say("a", None, "b")
    await follower.stop()

    assert radio.taken == ["a", "b"]
    assert radio.failures == ["the source has ended"]
    assert radio.watches == 2


async def test_news_that_cannot_be_taken_is_logged_and_is_no_outage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    radio = Radio()
    radio.refuse = RuntimeError("no room")
    follower = radio.follower()
    await follower.start()
    await radio.say("a", "a", "b")
    await follower.stop()

    assert radio.taken == ["a", "b"]
    assert radio.failures == []
    assert "no room" in caplog.text


async def test_the_age_is_that_of_the_last_hearing() -> None:
    radio = Radio()
    follower = radio.follower()
    assert follower.age == 0
    await follower.start()
    await radio.say("a")
    radio.clock.advance(5 * SECOND)
    assert follower.age == 5
    await radio.say("a")
    assert follower.age == 0
    await follower.stop()


async def test_stop_ends_a_wait_and_may_be_called_again() -> None:
    radio = Radio()
    follower = radio.follower()
    await follower.stop()
    await follower.start()
    await follower.stop()
    await follower.stop()
