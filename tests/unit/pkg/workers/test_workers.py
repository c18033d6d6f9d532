"""Workers are started, kept running and stopped; what happens to one is no matter of the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import SystemClock
from pkg.workers import WorkerError, Workers
from pkg.workers.process import WorkerProcess
from tests.unit.pkg.workers import child

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHILD = str(child.__file__)
SOON = 60.0
"""Seconds; processes start slowly on a busy machine."""


class Lab:
    """Workers of a mode, and what is known of them."""

    def __init__(self, folder: Path, mode: str, count: int = 2, timeout: float = SOON) -> None:
        self.folder = folder
        self.alerts = MemoryAlerts()
        self.registry = CollectorRegistry()
        self.waits: list[float] = []
        self.ended: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.workers = Workers(
            count,
            lambda name: [sys.executable, "-S", CHILD, mode, str(folder), name],
            start_timeout=timedelta(seconds=timeout),
            backoff=Backoff(BackoffSettings(first=timedelta(seconds=1)), lambda: 0.0),
            clock=SystemClock(),
            alerts=self.alerts,
            registry=self.registry,
            on_exit=self.ended.append,
            pause=self.pause,
        )

    async def pause(self, span: timedelta) -> None:
        self.waits.append(span.total_seconds())
        await self.go_on.wait()

    def pid(self, name: str) -> int:
        return int(self.workers.serving[name].admin.partition(":")[2])

    def runs(self, name: str) -> int:
        return len(list(self.folder.glob(f"{name}.run-*")))

    def exits(self, name: str) -> float | None:
        return self.registry.get_sample_value("worker_exits_total", {"name": name})


@asynccontextmanager
async def started(folder: Path, mode: str = "serves", **options: Any) -> AsyncIterator[Lab]:
    lab = Lab(folder, mode, **options)
    await lab.workers.start()
    try:
        async with asyncio.timeout(SOON):
            yield lab
    finally:
        try:
            async with asyncio.timeout(SOON):
                await lab.workers.stop()
        except WorkerError:
            pass


async def until(holds: Any) -> None:
    while not holds():  # noqa: ASYNC110 - another process signals no event
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_all_serve_when_the_start_returns_and_none_when_the_stop_does(tmp_path: Path) -> None:
    async with started(tmp_path, count=3) as lab:
        assert list(lab.workers.serving) == ["0", "1", "2"]
        pids = [lab.pid(name) for name in lab.workers.serving]
        await lab.workers.stop()
        assert not any(alive(pid) for pid in pids)
        assert not lab.workers.serving
        assert lab.exits("0") == 0


async def test_the_first_serves_before_the_others_start(tmp_path: Path) -> None:
    async with started(tmp_path, "needs-the-first", count=3) as lab:
        assert lab.workers.first is not None
        assert lab.workers.first.admin.startswith("0:")


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("dies", "worker 0 ended with 3 before it was ready"),
        ("second-dies", "worker 1 ended with 4 before it was ready"),
        ("talks-nonsense", "worker 0 says nonsense"),
    ],
)
async def test_a_worker_that_does_not_start_fails_the_start_and_none_is_left(
    tmp_path: Path, mode: str, told: str
) -> None:
    lab = Lab(tmp_path, mode)
    with pytest.raises(WorkerError, match=told):
        await lab.workers.start()
    assert not lab.workers.serving
    assert lab.runs("0") == 1


async def test_a_worker_that_never_serves_is_ended(tmp_path: Path) -> None:
    lab = Lab(tmp_path, "silent", timeout=0.1)
    with pytest.raises(WorkerError, match=r"worker 0 does not serve after 0\.1 s"):
        await lab.workers.start()
    assert lab.ended == ["0"]


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(WorkerError, match=r"worker 7 cannot be started: .*no-such-program"):
        await WorkerProcess.spawn("7", ["/no-such-program"])


async def test_a_start_that_is_given_up_leaves_no_process(tmp_path: Path) -> None:
    lab = Lab(tmp_path, "silent")
    starting = asyncio.create_task(lab.workers.start())
    await until(lambda: lab.runs("0"))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert lab.ended == ["0"]


async def test_one_that_was_killed_is_started_again_while_the_other_serves(tmp_path: Path) -> None:
    async with started(tmp_path) as lab:
        lab.go_on.clear()
        killed, other = lab.pid("1"), lab.pid("0")
        os.kill(killed, signal.SIGKILL)
        await until(lambda: lab.waits)
        assert lab.workers.absent == ("1",)
        assert list(lab.workers.serving) == ["0"]
        assert lab.ended == ["1"]
        lab.go_on.set()
        await until(lambda: len(lab.workers.serving) == 2)
        assert lab.pid("1") != killed
        assert lab.pid("0") == other
        assert lab.exits("1") == 1
        assert [each.detail for each in lab.alerts.sent] == ["worker 1 was ended by SIGKILL"]


async def test_the_waits_grow_while_it_does_not_start_again(tmp_path: Path) -> None:
    async with started(tmp_path, "cannot-start-again", count=1) as lab:
        os.kill(lab.pid("0"), signal.SIGKILL)
        await until(lambda: lab.runs("0") == 5 and lab.workers.serving)
        assert lab.waits == [1, 2, 4, 8]
        assert lab.exits("0") == 4


async def test_a_stop_while_one_is_away_does_not_start_it_again(tmp_path: Path) -> None:
    async with started(tmp_path) as lab:
        lab.go_on.clear()
        os.kill(lab.pid("1"), signal.SIGKILL)
        await until(lambda: lab.waits)
        await lab.workers.drain()
        await lab.workers.stop()
        assert lab.runs("1") == 1


async def test_one_that_ends_badly_at_the_stop_is_named(tmp_path: Path) -> None:
    async with started(tmp_path, "ends-badly") as lab:
        with pytest.raises(WorkerError, match="worker 0 ended with 5, worker 1 ended with 5"):
            await lab.workers.stop()


async def test_those_that_do_not_obey_are_killed_when_the_time_is_up(tmp_path: Path) -> None:
    async with started(tmp_path, "deaf") as lab:
        pids = [lab.pid("0"), lab.pid("1")]
        stopping = asyncio.create_task(lab.workers.stop())
        done, _ = await asyncio.wait({stopping}, timeout=0.2)
        assert not done
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        assert not any(alive(pid) for pid in pids)
