"""Waiting ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pkg.app.deadline import OutOfTimeError, within

LONG = timedelta(minutes=1)


async def never() -> None:
    await asyncio.Event().wait()


async def test_work_that_is_done_in_time_is_done() -> None:
    assert await within(LONG, asyncio.sleep(0))


async def test_error_of_the_work_is_raised() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await within(LONG, fail())


async def test_late_work_is_cancelled_whatever_it_says_then() -> None:
    async def bitter() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            raise ValueError("half done") from None

    with pytest.raises(OutOfTimeError, match=r"not done within 0\.01 s") as caught:
        await within(timedelta(milliseconds=10), bitter())
    assert not caught.value.abandoned


async def test_who_waits_may_be_cancelled_and_the_work_with_them() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        entered.set()
        try:
            await never()
        finally:
            cancelled.set()

    waiting = asyncio.create_task(within(LONG, work()))
    await entered.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert cancelled.is_set()


async def test_work_is_given_up_for_something_else() -> None:
    other: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    other.set_result(None)
    assert not await within(LONG, never(), unless=[other])
