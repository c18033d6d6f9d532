"""How long event loops take to answer."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.clock import FakeClock
from pkg.holmes import Kind, Loops

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context


async def turn() -> None:
    """Let the loop do what it was asked for from another thread."""
    for _ in range(3):
        await asyncio.sleep(0)


def lag(loops: Loops) -> float:
    return loops.read()[Kind.LAG]


def test_without_loops_nothing_is_read() -> None:
    assert Loops().read() == {}


async def test_a_loop_that_answers_lags_by_the_time_that_it_took() -> None:
    clock = FakeClock()
    loops = Loops(clock)
    with loops.watched("main"):
        assert lag(loops) == 0
        clock.advance(timedelta(milliseconds=30))
        await turn()

        assert lag(loops) == pytest.approx(30)
        await turn()
        assert lag(loops) == 0


async def test_a_loop_that_does_not_answer_lags_more_and_more() -> None:
    clock = FakeClock()
    loops = Loops(clock)
    with loops.watched("main"):
        loops.read()
        found = []
        for _ in range(3):  # the loop is blocked: by this very function
            clock.advance(timedelta(seconds=1))
            found.append(lag(loops))

        assert found == [1000, 2000, 3000]
        await turn()
        assert lag(loops) == 3000  # what it has been, told once more
        await turn()
        assert lag(loops) == 0


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts what other threads ask of it."""

    asked = 0

    def call_soon_threadsafe(  # type: ignore[override] # theirs binds the arguments' types
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        self.asked += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


def test_a_loop_that_is_blocked_is_not_asked_again_and_again() -> None:
    async def read(times: int) -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        loops = Loops()
        with loops.watched("main"):
            for _ in range(times):
                loops.read()
        return loop.asked

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        assert runner.run(read(100)) == 1


async def test_the_slowest_of_several_counts() -> None:
    clock = FakeClock()
    loops = Loops(clock)
    begun, over = threading.Event(), threading.Event()

    async def other() -> None:
        with loops.watched("other"):
            begun.set()
            over.wait(10)  # blocks its loop
            await turn()

    thread = threading.Thread(target=lambda: asyncio.run(other()))
    thread.start()
    begun.wait()
    with loops.watched("main"):
        loops.read()
        await turn()
        clock.advance(timedelta(seconds=2))

        assert lag(loops) == 2000
        assert {each.name: each.lag for each in loops.all()} == {"main": 0, "other": 2}
        (blocked,) = (each for each in loops.all() if each.name == "other")
        assert blocked.thread == thread.ident
    over.set()
    thread.join()


async def test_a_loop_is_watched_until_its_block_is_left() -> None:
    loops = Loops()
    with loops.watched("main"):
        assert [each.name for each in loops.all()] == ["main"]

    assert loops.all() == ()


def test_a_loop_that_does_not_run_does_not_lag() -> None:
    clock = FakeClock()
    loops = Loops(clock)
    loop = asyncio.new_event_loop()

    async def enter(held: ExitStack) -> None:
        held.enter_context(loops.watched("stopped"))
        loops.read()

    with ExitStack() as held:
        loop.run_until_complete(enter(held))
        clock.advance(timedelta(minutes=1))
        assert lag(loops) == 0
        loop.close()
        assert lag(loops) == 0
