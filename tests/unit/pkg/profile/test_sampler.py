"""A profile shows which functions work and which threads wait."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.profile import Sampler, SamplerBusyError
from pkg.profile.tally import MAX_DEPTH, MAX_STACKS, Tally
from tests.unit.pkg.profile.busy import keep_busy
from tests.unit.pkg.profile.reader import Found, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHORT = timedelta(milliseconds=400)


class Worker:
    """Threads that work, or wait, until they are told to end."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def compute(self) -> None:
        while not self.over.is_set():
            sum(range(200))

    def wait(self) -> None:
        self.over.wait()

    async def _inner(self) -> None:
        self.compute()

    async def outer(self) -> None:
        await self._inner()


@contextmanager
def working(*jobs: tuple[str, Callable[[], object]], worker: Worker) -> Iterator[None]:
    threads = [threading.Thread(target=job, name=name) for name, job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        worker.over.set()
        for thread in threads:
            thread.join()


def seen(found: list[Found], state: str) -> int:
    return sum(each.values["samples"] for each in found if each.labels["state"] == state)


def test_work_is_told_from_waiting() -> None:
    worker = Worker()
    with working(("busy", worker.compute), ("idle", worker.wait), worker=worker):
        found = samples(Sampler().run(SHORT, 100, threading.Event()).encoded())

    busy = [each for each in found if each.labels["thread"] == "busy"]
    idle = [each for each in found if each.labels["thread"] == "idle"]
    assert any(each.holds("Worker.compute") for each in busy)
    assert any(each.holds("Worker.wait") for each in idle)
    assert sum(each.values["wall"] for each in idle) > 0.1e9
    if sys.platform == "linux":
        used = sum(each.values["cpu"] for each in busy)
        assert used > 20 * sum(each.values["cpu"] for each in idle)
        assert seen(idle, "off-cpu") > 5 * seen(idle, "on-cpu")
        assert seen(busy, "on-cpu") > 0


def test_functions_have_module_class_file_and_line() -> None:
    worker = Worker()
    with working(("busy", worker.compute), worker=worker):
        found = samples(Sampler().run(SHORT, 100, threading.Event()).encoded())

    places = {place for each in found for place in each.stack if "compute" in place[0]}
    first = Worker.compute.__code__.co_firstlineno
    assert {name for name, _, _ in places} == {f"{__name__}.Worker.compute"}
    assert {file for _, file, _ in places} == {__file__}
    assert {line for _, _, line in places} <= {first + 1, first + 2}


def test_coroutines_are_seen_as_they_await_each_other() -> None:
    worker = Worker()
    with working(("loop", lambda: asyncio.run(worker.outer())), worker=worker):
        found = samples(Sampler().run(SHORT, 100, threading.Event()).encoded())

    stacks = [[name for name, _, _ in each.stack] for each in found if each.holds("Worker.compute")]
    assert stacks
    for names in stacks:
        at = names.index(f"{__name__}.Worker.compute")
        assert names[at + 1 : at + 3] == [f"{__name__}.Worker._inner", f"{__name__}.Worker.outer"]


def test_the_sampler_does_not_see_itself() -> None:
    found = samples(Sampler().run(SHORT, 100, threading.Event()).encoded())

    assert not any(each.holds("Sampler.run") for each in found)


def run_on_and_on(sampler: Sampler) -> None:
    while True:
        sampler.run(timedelta(milliseconds=1), 250, threading.Event())


def test_one_profile_is_taken_at_a_time() -> None:
    sampler, stop = Sampler(), threading.Event()
    first = threading.Thread(target=keep_busy, args=(sampler, stop))
    first.start()
    try:
        with pytest.raises(SamplerBusyError, match="one at a time"):
            run_on_and_on(sampler)
    finally:
        stop.set()
        first.join()

    sampler.run(timedelta(milliseconds=1), 250, threading.Event())


def test_a_profile_can_be_ended_early() -> None:
    stop = threading.Event()
    stop.set()

    profile = Sampler().run(timedelta(hours=1), 100, stop)

    assert samples(profile.encoded()) == []


def test_threads_switch_as_before_when_the_profile_is_taken() -> None:
    before = sys.getswitchinterval()

    Sampler().run(timedelta(milliseconds=10), 100, threading.Event())

    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("hz", [0, -1, 251])
def test_a_rate_out_of_bounds_is_refused(hz: int) -> None:
    with pytest.raises(ValueError, match="1 to 250"):
        Sampler().run(SHORT, hz, threading.Event())


def deep(depth: int, tally: Tally) -> tuple[int, ...]:
    return deep(depth - 1, tally) if depth else tally.stack(sys._getframe())


def test_of_a_deep_stack_the_innermost_frames_are_kept() -> None:
    tally = Tally({})
    tally.add(1, "deep", deep(MAX_DEPTH + 50, tally), wall=1, cpu=0, at_work=False)

    (found,) = samples(tally.profile(1, 1, 1).encoded())

    assert len(found.stack) == MAX_DEPTH
    assert {name for name, _, _ in found.stack} == {f"{__name__}.deep"}


def test_stacks_beyond_the_bound_are_counted_as_one() -> None:
    tally = Tally({})
    here = tally.stack(sys._getframe())[:2]
    for number in range(MAX_STACKS + 10):
        tally.add(1, f"thread {number}", here, wall=1, cpu=0, at_work=False)

    found = list(tally.profile(1, 1, 1).samples)

    assert len(found) == MAX_STACKS + 1
    assert sum(each.values[0] for each in found) == MAX_STACKS + 10
    assert found[-1].stack[0].function == "[other stacks]"


def test_cpu_time_is_counted_where_the_thread_is_next_seen_at_work() -> None:
    tally = Tally({7: 1_000})
    waiting, working = deep(1, tally), deep(2, tally)
    tally.add(7, "a", waiting, wall=10, cpu=1_400, at_work=False)
    tally.add(7, "a", working, wall=10, cpu=2_000, at_work=True)
    tally.add(7, "a", waiting, wall=10, cpu=2_300, at_work=False)

    wait, work, unseen = samples(tally.profile(1, 1, 1).encoded())

    assert (wait.values, wait.labels["state"]) == ({"samples": 2, "cpu": 0, "wall": 20}, "off-cpu")
    assert (work.values["cpu"], work.labels["state"]) == (1_000, "on-cpu")
    assert (unseen.stack[0][0], unseen.values["cpu"]) == ("[not seen at work]", 300)


def test_a_thread_that_has_the_ident_of_another_one_begins_anew() -> None:
    tally = Tally({7: 5_000})
    tally.add(7, "new", deep(1, tally), wall=10, cpu=40, at_work=True)

    (found,) = samples(tally.profile(1, 1, 1).encoded())

    assert found.values["cpu"] == 40
