"""Work that is done again and again."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from pkg.app import Periodic

if TYPE_CHECKING:
    import pytest

HOUR = timedelta(hours=1)


class Rounds:
    """A job that counts, and a pause that ends when the test says so."""

    def __init__(self, *, failing: int = 0) -> None:
        self.done = 0
        self.pauses: list[timedelta] = []
        self._failing = failing
        self._paused = asyncio.Event()
        self._go = asyncio.Event()

    async def job(self) -> None:
        self.done += 1
        if self.done == self._failing:
            raise OSError("the disk is full")

    async def pause(self, time: timedelta) -> None:
        self.pauses.append(time)
        self._paused.set()
        await self._go.wait()
        self._go.clear()

    async def until_paused(self) -> None:
        await self._paused.wait()
        self._paused.clear()

    def go_on(self) -> None:
        self._go.set()


async def test_the_job_is_done_at_once_and_after_every_pause() -> None:
    rounds = Rounds()
    periodic = Periodic("sweep", rounds.job, every=HOUR, pause=rounds.pause)
    await periodic.start()
    await rounds.until_paused()
    assert (rounds.done, rounds.pauses) == (1, [HOUR])
    rounds.go_on()
    await rounds.until_paused()
    assert rounds.done == 2
    await periodic.stop()


async def test_a_job_that_fails_is_logged_and_done_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rounds = Rounds(failing=1)
    periodic = Periodic("sweep", rounds.job, every=HOUR, pause=rounds.pause)
    with caplog.at_level(logging.ERROR):
        await periodic.start()
        await rounds.until_paused()
    assert "sweep failed" in caplog.text
    rounds.go_on()
    await rounds.until_paused()
    assert rounds.done == 2
    await periodic.stop()


async def test_stop_ends_a_job_that_goes_on() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    periodic = Periodic("sweep", endless, every=HOUR)
    await periodic.start()
    await begun.wait()
    await periodic.stop()
    assert ended.is_set()


async def test_stop_without_start_does_nothing() -> None:
    await Periodic("sweep", Rounds().job, every=HOUR).stop()
