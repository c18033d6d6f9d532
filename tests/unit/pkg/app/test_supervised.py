"""Work that begins again when it fails."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from pkg.app import Supervised
from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import FakeClock

if TYPE_CHECKING:
    import pytest

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class Work:
    """A job that fails as often as it is told, each time after a while, and then goes on."""

    def __init__(self, *lasting: timedelta) -> None:
        self.clock = FakeClock()
        self.waits: list[timedelta] = []
        self.failures: list[str] = []
        self.going_on = asyncio.Event()
        self.ended = asyncio.Event()
        self._lasting = list(lasting)

    async def job(self) -> None:
        if self._lasting:
            self.clock.advance(self._lasting.pop(0))
            raise OSError("gone")
        self.going_on.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def pause(self, time: timedelta) -> None:
        self.waits.append(time)

    def supervised(self) -> Supervised:
        return Supervised(
            "relay",
            self.job,
            backoff=Backoff(BackoffSettings(first=SECOND, spread=0), lambda: 0.0),
            steady=MINUTE,
            on_failure=lambda error: self.failures.append(str(error)),
            clock=self.clock,
            pause=self.pause,
        )


async def test_a_job_that_fails_begins_again_after_waits_that_grow(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work(SECOND, SECOND, SECOND)
    supervised = work.supervised()
    with caplog.at_level(logging.ERROR):
        await supervised.start()
        await work.going_on.wait()

    assert work.waits == [SECOND, 2 * SECOND, 4 * SECOND]
    assert work.failures == ["gone"] * 3
    assert "relay failed, and begins again in 4.0 s" in caplog.text
    await supervised.stop()


async def test_a_job_that_had_worked_waits_as_after_the_first_failure() -> None:
    work = Work(SECOND, SECOND, 2 * MINUTE)
    supervised = work.supervised()
    await supervised.start()
    await work.going_on.wait()

    assert work.waits == [SECOND, 2 * SECOND, SECOND]
    await supervised.stop()


async def test_stop_cancels_the_job_and_waits_for_its_end() -> None:
    work = Work()
    supervised = work.supervised()
    await supervised.start()
    await work.going_on.wait()

    await supervised.stop()

    assert work.ended.is_set()
    await supervised.stop()


async def test_a_job_that_returns_is_done() -> None:
    runs: list[int] = []

    async def once() -> None:
        runs.append(1)

    work = Work()
    supervised = Supervised(
        "once",
        once,
        backoff=Backoff(BackoffSettings(), lambda: 0.0),
        steady=MINUTE,
        pause=work.pause,
    )
    await supervised.start()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await supervised.stop()

    assert (runs, work.waits) == ([1], [])
