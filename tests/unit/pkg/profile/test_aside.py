"""Work in a thread of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pkg.profile.aside import aside


async def test_the_result_comes_from_a_thread_of_that_name() -> None:
    assert await aside("one", lambda: threading.current_thread().name) == "one"


async def test_an_error_is_the_callers() -> None:
    def fail() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        await aside("one", fail)


async def test_it_works_when_all_shared_threads_hang() -> None:
    over = threading.Event()
    loop = asyncio.get_running_loop()
    hanging = [loop.run_in_executor(None, over.wait) for _ in range(100)]

    async with asyncio.timeout(10):
        assert await aside("one", lambda: 1) == 1

    over.set()
    await asyncio.gather(*hanging)


async def test_a_caller_that_is_cancelled_leaves_the_work_behind() -> None:
    begun, over, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        over.wait()
        ended.set()

    waiting = asyncio.create_task(aside("one", work))
    await asyncio.to_thread(begun.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert not ended.is_set()
    over.set()
    assert await asyncio.to_thread(ended.wait, 10)


def test_work_may_end_after_its_loop() -> None:
    over, threads = threading.Event(), []

    def work() -> None:
        threads.append(threading.current_thread())
        over.wait()

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await aside("one", work)

    asyncio.run(leave())
    over.set()
    for thread in threads:
        thread.join()
