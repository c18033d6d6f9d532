"""What the watchdog does with readings: fakes tell them, files and alerts show it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import tracemalloc
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from prometheus_client import CollectorRegistry

from pkg.alert import Alert, MemoryAlerts
from pkg.clock import FakeClock
from pkg.config import ByteSize
from pkg.holmes import FakeProbe, Holmes, HolmesSettings, Kind, Loops, RuleSettings
from pkg.holmes.rules import CpuRule
from pkg.profile import Sampler, thread_stacks
from tests.unit.pkg.profile.busy import keep_busy
from tests.unit.pkg.profile.reader import samples

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from pkg.alert import Alerts
    from pkg.holmes import Probe, Readings

NONE = timedelta(0)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class Kennel:
    """A watchdog whose readings, time and alerts are the test's."""

    def __init__(
        self, directory: Path, alerts: Alerts | None = None, probe: Probe | None = None, **said: Any
    ) -> None:
        self.directory = directory / "dumps"
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.sent = MemoryAlerts()
        self.lag = FakeProbe()
        self.process = FakeProbe()
        settings: dict[str, Any] = {
            "directory": self.directory,
            "profile": NONE,
            "rules": RuleSettings(cpu=CpuRule(min=50, diff=25, abs=80, cool_down=MINUTE)),
        }
        self.loops = Loops(self.clock)
        self.sampler = Sampler()
        self.holmes = Holmes(
            HolmesSettings(**{**settings, **said}),
            self.loops,
            alerts or self.sent,
            sampler=self.sampler,
            lag=self.lag,
            probe=probe or self.process,
            clock=self.clock,
            registry=self.registry,
        )

    def look(self, **readings: float) -> None:
        """Look once, when everything is due."""
        for kind, value in readings.items():
            (self.lag if kind == "lag" else self.process).readings[Kind(kind)] = value
        self.clock.advance(timedelta(seconds=5))
        self.holmes.look()

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    @property
    def titles(self) -> list[str]:
        return [each.title for each in self.sent.sent]

    def files(self) -> list[str]:
        return sorted(each.name for each in self.directory.glob("*"))


@pytest.fixture
def kennel(tmp_path: Path) -> Kennel:
    return Kennel(tmp_path)


def test_while_all_is_well_nothing_happens(kennel: Kennel) -> None:
    kennel.look(cpu=10, memory=20, lag=1)

    assert kennel.titles == []
    assert not kennel.directory.exists()
    assert kennel.value("holmes_reading", kind="cpu") == 10
    assert kennel.value("holmes_reading", kind="lag") == 1


def test_what_is_too_much_is_kept_and_told(kennel: Kennel) -> None:
    kennel.look(cpu=95.5, memory=20)

    (alert,) = kennel.sent.sent
    assert (alert.topic, alert.title) == ("holmes", "CPU use is high")
    assert "95.5%, above abs 80" in alert.detail
    assert "memory 20%" in alert.detail
    (attached,) = alert.attachments
    (file,) = kennel.files()
    assert file == f"holmes-{attached.name}"
    assert attached.name.startswith("20260101T000005.000000Z-")
    assert attached.name.endswith("-cpu.txt")
    assert (kennel.directory / file).read_bytes() == attached.content
    assert kennel.value("holmes_dumps_total", kind="cpu", kept="yes") == 1


def test_titles_do_not_change_from_one_time_to_the_next(kennel: Kennel) -> None:
    kennel.look(cpu=90)
    kennel.clock.advance(MINUTE)
    kennel.look(cpu=99)

    first, second = kennel.sent.sent
    assert first.key == second.key


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_title_and_can_be_dumped(tmp_path: Path, kind: Kind) -> None:
    kennel = Kennel(tmp_path, rules=RuleSettings())
    limits = RuleSettings().limits()[kind]

    kennel.look(**{kind: limits.abs + 1})

    assert len(kennel.titles) == 1
    assert kennel.titles[0]


def test_cool_downs_hold_between_looks_and_are_counted(kennel: Kennel) -> None:
    for _ in range(24):  # two minutes
        kennel.look(cpu=95)

    assert len(kennel.titles) == 2
    assert kennel.value("holmes_withheld_total", kind="cpu", why="cooling") == 22


def test_each_kind_cools_down_by_itself(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, rules=RuleSettings())

    kennel.look(cpu=95)
    kennel.look(cpu=95, memory=95)

    assert kennel.titles == ["CPU use is high", "memory use is high"]


def test_a_day_has_so_many_dumps(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, daily_cap=3)
    for _ in range(10):
        kennel.look(cpu=95)
        kennel.clock.advance(MINUTE)

    assert len(kennel.titles) == 3
    assert kennel.value("holmes_withheld_total", kind="cpu", why="capped") == 7


def test_beyond_max_nothing_is_dumped(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, rules=RuleSettings())

    kennel.look(threads=1_000_000)

    assert kennel.titles == []
    assert kennel.value("holmes_withheld_total", kind="threads", why="beyond") == 1


def test_a_kind_without_a_rule_is_only_shown(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, rules=RuleSettings(cpu=None))

    kennel.look(cpu=100)

    assert kennel.titles == []
    assert kennel.value("holmes_reading", kind="cpu") == 100


def test_loops_are_read_more_often_than_the_rest(kennel: Kennel) -> None:
    for _ in range(20):
        kennel.holmes.look()
        kennel.clock.advance(timedelta(milliseconds=250))

    assert (kennel.lag.reads, kennel.process.reads) == (20, 1)
    kennel.holmes.look()
    assert kennel.process.reads == 2


def test_a_dump_has_stacks_tasks_and_collections(kennel: Kennel) -> None:
    async def idle() -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        task = asyncio.create_task(idle(), name="the-idle-one")
        with kennel.loops.watched("main"):
            await asyncio.to_thread(kennel.look, cpu=95)
        task.cancel()

    asyncio.run(run())

    text = kennel.sent.sent[0].attachments[0].content.decode()
    assert "=== threads ===\n1 thread: MainThread (" in text
    assert "runs the loop main" in text
    assert "=== tasks of main ===" in text
    assert "the-idle-one" in text
    assert "in test_a_dump_has" in text
    assert "collections of the oldest generation" in text
    assert "generation 2: {" in text


@pytest.fixture
def tracing() -> Iterator[None]:
    tracemalloc.start(2)
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("tracing")
def test_a_dump_about_memory_has_the_lines_that_hold_it(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, rules=RuleSettings())
    held = bytearray(3_000_000)

    kennel.look(memory=99)

    text = kennel.sent.sent[0].attachments[0].content.decode()
    assert "=== memory by line ===" in text
    assert f"{__file__}:" in text
    assert len(held) == 3_000_000


def test_a_dump_about_memory_says_how_to_see_more(tmp_path: Path) -> None:
    if tracemalloc.is_tracing():
        pytest.skip("tracemalloc is on for this run")
    kennel = Kennel(tmp_path, rules=RuleSettings())

    kennel.look(memory=99)

    assert "tracemalloc is off" in kennel.sent.sent[0].attachments[0].content.decode()


def test_a_dump_has_a_cpu_profile(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, profile=timedelta(milliseconds=200))
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="seen-in-the-profile")
    thread.start()

    kennel.look(cpu=95)

    over.set()
    thread.join()
    _, profile = kennel.sent.sent[0].attachments
    assert profile.name.endswith("-cpu.pb.gz")
    assert "seen-in-the-profile" in {each.labels["thread"] for each in samples(profile.content)}
    assert [each.rsplit("-", 1)[1] for each in kennel.files()] == ["cpu.pb.gz", "cpu.txt"]


def test_a_dump_goes_without_a_profile_when_another_one_is_being_taken(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, profile=timedelta(milliseconds=200))
    stop = threading.Event()
    other = threading.Thread(target=keep_busy, args=(kennel.sampler, stop))
    other.start()
    while kennel.titles == [] or len(kennel.sent.sent[-1].attachments) > 1:
        kennel.clock.advance(MINUTE)
        kennel.look(cpu=95)
    stop.set()
    other.join()

    assert len(kennel.sent.sent[-1].attachments) == 1


def test_a_text_is_cut_to_its_size(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, max_text=ByteSize.parse("256B"))

    kennel.look(cpu=95)

    content = kennel.sent.sent[0].attachments[0].content
    assert len(content) == 256
    assert content.decode().endswith("the rest was cut off\n")


def test_dumps_stay_within_their_number(tmp_path: Path) -> None:
    kennel = Kennel(tmp_path, max_files=3, daily_cap=50)
    for _ in range(10):
        kennel.look(cpu=95)
        kennel.clock.advance(MINUTE)

    assert len(kennel.titles) == 10
    assert len(kennel.files()) == 3


def test_a_directory_that_cannot_be_written_loses_the_file_but_not_the_alert(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "dumps").write_text("a file, where the directory should be")
    kennel = Kennel(tmp_path)

    with caplog.at_level(logging.WARNING):
        kennel.look(cpu=95)

    assert b"=== threads ===" in kennel.sent.sent[0].attachments[0].content
    assert "is not kept" in caplog.text
    assert kennel.value("holmes_dumps_total", kind="cpu", kept="no") == 1


class BrokenAlerts:
    """Alerts that break their promise never to raise."""

    def send(self, alert: Alert) -> None:
        raise OSError("no way out")


def test_an_alert_that_cannot_be_sent_loses_no_dump(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kennel = Kennel(tmp_path, alerts=BrokenAlerts())

    kennel.look(cpu=95)

    assert len(kennel.files()) == 1
    assert "no way out" in caplog.text
    kennel.look(cpu=10)
    assert kennel.value("holmes_reading", kind="cpu") == 10


class BrokenProbe:
    """A probe that cannot read, until it is repaired."""

    def __init__(self) -> None:
        self.broken = True

    def read(self) -> Readings:
        if self.broken:
            raise PermissionError("/proc is hidden")
        return {Kind.CPU: 95}


def test_a_probe_that_fails_is_told_once_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    probe = BrokenProbe()
    kennel = Kennel(tmp_path, probe=probe)
    for _ in range(3):
        kennel.look(lag=5)

    assert caplog.text.count("cannot read process") == 1
    assert kennel.value("holmes_reading", kind="lag") == 5
    probe.broken = False
    kennel.look()
    assert kennel.titles == ["CPU use is high"]


def test_a_watchdog_that_was_late_itself_says_so(kennel: Kennel) -> None:
    kennel.process.readings[Kind.CPU] = 95
    kennel.clock.advance(timedelta(seconds=5))

    kennel.holmes.look(late=4.2)

    assert "4.2 s late: the whole process stood still" in kennel.sent.sent[0].detail


def the_culprit(over: threading.Event) -> None:
    """What a handler must not do: wait, in the loop, here for 8 s or until it was seen."""
    over.wait(8)


class Noticing:
    """Alerts that end the block once they have been sent one."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.noticed = threading.Event()

    def send(self, alert: Alert) -> None:
        self.alerts.append(alert)
        self.noticed.set()


def run_in_uvloop(work: Coroutine[Any, Any, None]) -> None:
    """As the gRPC server does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


@pytest.mark.parametrize("which", ["main", "grpc"])
async def test_a_loop_that_is_blocked_is_dumped_with_the_stack_that_blocks_it(
    tmp_path: Path, which: str
) -> None:
    loops, told = Loops(), Noticing()
    settings = HolmesSettings(
        directory=tmp_path, profile=NONE, lag_interval=timedelta(milliseconds=50)
    )
    holmes = Holmes(settings, loops, told)

    async def other_loop() -> None:
        with loops.watched("grpc"):
            the_culprit(told.noticed)

    await holmes.start()
    began = time.monotonic()
    if which == "main":
        the_culprit(told.noticed)
    else:
        await asyncio.to_thread(run_in_uvloop, other_loop())
    await asyncio.to_thread(told.noticed.wait, 10)
    await holmes.stop()

    (alert,) = told.alerts
    assert alert.title == "an event loop is blocked"
    assert f"runs the loop {which}" in alert.detail
    assert "in the_culprit\n    over.wait(8)\n" in alert.detail
    assert b"in the_culprit" in alert.attachments[0].content
    assert time.monotonic() - began < 8


async def test_the_watchdog_ends_when_it_is_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    loops = Loops()
    holmes = Holmes(HolmesSettings(directory=tmp_path), loops, MemoryAlerts())
    await holmes.start()
    assert [each.name for each in loops.all()] == ["main"]
    assert "holmes" in {thread.name for thread in threading.enumerate()}

    await holmes.stop()

    assert loops.all() == ()
    assert "holmes" not in {thread.name for thread in threading.enumerate()}


async def test_a_stop_ends_a_profile_that_is_being_taken(tmp_path: Path) -> None:
    alerts = Noticing()
    loops = Loops()
    settings = HolmesSettings(
        directory=tmp_path, profile=MINUTE, lag_interval=timedelta(milliseconds=20)
    )
    holmes = Holmes(settings, loops, alerts, probe=FakeProbe({Kind.CPU: 99}))
    await holmes.start()
    async with asyncio.timeout(10):
        while "in Sampler.run\n" not in await asyncio.to_thread(thread_stacks):
            pass
        kept_before = [each.suffix for each in tmp_path.iterdir()]  # noqa: ASYNC240 - one look
        await holmes.stop()

    assert kept_before == [".txt"]
    assert [each.title for each in alerts.alerts] == ["CPU use is high"]


async def test_a_watchdog_that_is_turned_off_does_nothing(tmp_path: Path) -> None:
    loops = Loops()
    holmes = Holmes(HolmesSettings(enabled=False, directory=tmp_path), loops, MemoryAlerts())

    await holmes.start()
    assert loops.all() == ()
    await holmes.stop()
