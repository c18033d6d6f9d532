"""Readings of this process."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil
import pytest

from pkg.clock import FakeClock
from pkg.holmes import Kind, Loops, ProcessProbe
from pkg.holmes.cgroup import CgroupLimits
from pkg.holmes.garbage import Collections
from pkg.holmes.process import available_cores

if TYPE_CHECKING:
    from pathlib import Path

SECOND = timedelta(seconds=1)


class Body:
    """A probe with a clock, CPU time and limits that the test says."""

    def __init__(self, group: Path) -> None:
        self.group = group
        self.clock = FakeClock()
        self.loops = Loops(self.clock)
        self.collections = Collections()
        self.used = 0.0
        self.probe = ProcessProbe(
            self.loops,
            self.collections,
            limits=CgroupLimits(cpu=(group,), memory=(group,)),
            clock=self.clock,
            cpu_time=lambda: self.used,
        )

    def pass_time(self, used: float) -> None:
        self.clock.advance(SECOND)
        self.used += used


@pytest.fixture
def body(tmp_path: Path) -> Body:
    return Body(tmp_path)


def test_the_first_reading_has_no_shares_of_time(body: Body) -> None:
    assert not {Kind.CPU, Kind.GC} & set(body.probe.read())


def test_cpu_is_a_share_of_the_limit(body: Body) -> None:
    (body.group / "cpu.max").write_text("50000 100000\n")
    body.probe.read()
    body.pass_time(used=0.25)

    assert body.probe.read()[Kind.CPU] == pytest.approx(50)


def test_cpu_without_a_limit_is_a_share_of_the_cores(body: Body) -> None:
    body.probe.read()
    body.pass_time(used=0.5 * available_cores())

    assert body.probe.read()[Kind.CPU] == pytest.approx(50)


def test_a_limit_above_the_cores_means_the_cores(body: Body) -> None:
    (body.group / "cpu.max").write_text(f"{100_000 * (available_cores() + 5)} 100000\n")
    body.probe.read()
    body.pass_time(used=available_cores())

    assert body.probe.read()[Kind.CPU] == pytest.approx(100)


def test_gc_is_a_share_of_the_time(body: Body) -> None:
    body.probe.read()
    body.pass_time(used=0)
    body.collections.seconds += 0.05

    assert body.probe.read()[Kind.GC] == pytest.approx(5)


def test_memory_is_a_share_of_the_limit(body: Body) -> None:
    rss = psutil.Process().memory_info().rss
    (body.group / "memory.max").write_text(f"{rss * 2}\n")

    assert body.probe.read()[Kind.MEMORY] == pytest.approx(50, abs=15)


def test_memory_without_a_limit_is_a_share_of_the_host(body: Body) -> None:
    assert 0 < body.probe.read()[Kind.MEMORY] < 100


def test_threads_are_counted(body: Body) -> None:
    over = threading.Event()
    before = body.probe.read()[Kind.THREADS]
    threads = [threading.Thread(target=over.wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    after = body.probe.read()[Kind.THREADS]
    over.set()
    for thread in threads:
        thread.join()

    assert after >= before + 5


def test_file_descriptors_are_a_share_of_the_limit(body: Body) -> None:
    before = body.probe.read()[Kind.DESCRIPTORS]
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
    after = body.probe.read()[Kind.DESCRIPTORS]
    for each in opened:
        os.close(each)

    assert after > before


async def test_tasks_of_all_loops_are_counted(body: Body) -> None:
    over = asyncio.Event()
    with body.loops.watched("main"):
        before = body.probe.read()[Kind.TASKS]
        tasks = [asyncio.create_task(over.wait()) for _ in range(7)]
        after = body.probe.read()[Kind.TASKS]
        over.set()
        await asyncio.gather(*tasks)

    assert after == before + 7


def test_blocks_of_memory_are_counted(body: Body) -> None:
    before = body.probe.read()[Kind.HEAP]
    held = [object() for _ in range(50_000)]
    after = body.probe.read()[Kind.HEAP]

    assert after - before > 0.9 * len(held)
