"""How busy the CPU is that the process may use: its loops' core, and what it shares with others."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.clock import FakeClock, SystemClock
from pkg.holmes import Loops
from pkg.holmes.cgroup import CgroupLimits
from pkg.shedding.cpu import LoopsAndGroupCpu, Used

if TYPE_CHECKING:
    from pathlib import Path

SECOND = timedelta(seconds=1)


class Body:
    """A probe of a process whose threads, group and machine the test says."""

    def __init__(self, group: Path) -> None:
        self.group = group
        self.clock = FakeClock()
        self.loops = Loops(self.clock)
        self.threads: dict[int, float] = {}
        self.machine = Used(4, 0.0)
        self.probe = LoopsAndGroupCpu(
            self.loops,
            clock=self.clock,
            limits=CgroupLimits(cpu=(group,), memory=()),
            threads=lambda: dict(self.threads),
            machine=lambda: self.machine,
        )

    def limit(self, cores: float, used: float) -> None:
        (self.group / "cpu.max").write_text(f"{round(cores * 100000)} 100000\n")
        (self.group / "cpu.stat").write_text(f"usage_usec {round(used * 1e6)}\nuser_usec 5\n")

    def read(self) -> float | None:
        self.clock.advance(SECOND)
        return self.probe.read()


@pytest.fixture
def body(tmp_path: Path) -> Body:
    return Body(tmp_path)


def test_the_first_reading_tells_nothing(body: Body) -> None:
    assert body.read() is None
    assert body.probe.read() is None  # no time has passed


async def test_loops_share_one_core_however_many_there_are(body: Body) -> None:
    with body.loops.watched("main"):
        me, other = threading.get_native_id(), 1
        body.threads = {me: 5.0, other: 7.0}
        body.read()
        body.threads = {me: 5.9, other: 8.0}
        assert body.read() == pytest.approx(90)


async def test_a_loop_that_is_new_counts_from_the_next_reading_on(body: Body) -> None:
    me = threading.get_native_id()
    body.threads = {me: 100.0}
    body.read()
    with body.loops.watched("main"):
        assert body.read() == 0
        body.threads = {me: 100.5}
        assert body.read() == pytest.approx(50)


def test_the_machine_is_shared_where_the_group_has_no_limit(body: Body) -> None:
    body.read()
    body.machine = Used(4, 3.0)
    assert body.read() == pytest.approx(75)


def test_the_group_is_shared_where_it_has_a_limit(body: Body) -> None:
    body.limit(cores=0.5, used=10.0)
    body.read()
    body.limit(cores=0.5, used=10.4)
    body.machine = Used(4, 4.0)
    assert body.read() == pytest.approx(80)


def test_a_limit_that_comes_or_goes_is_no_jump(body: Body) -> None:
    body.read()
    body.limit(cores=1, used=1000.0)
    assert body.read() == 0
    body.limit(cores=1, used=1000.5)
    assert body.read() == pytest.approx(50)
    (body.group / "cpu.max").write_text("max 100000\n")
    assert body.read() == 0


async def test_this_process_and_this_machine_can_be_read() -> None:
    loops = Loops()
    probe = LoopsAndGroupCpu(loops, clock=SystemClock())
    with loops.watched("main"):
        assert probe.read() is None
        end = asyncio.get_running_loop().time() + 0.1
        while asyncio.get_running_loop().time() < end:
            pass
        found = probe.read()
    assert found is not None
    assert found > 20
