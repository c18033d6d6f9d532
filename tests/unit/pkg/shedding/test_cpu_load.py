"""The average of a probe: by time, in a thread of its own, and never in the way."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from pkg.clock import FakeClock, SystemClock
from pkg.shedding import CpuLoad, SheddingMetrics, SheddingSettings
from tests.unit.pkg.shedding.loads import FakeCpu

SECOND = timedelta(seconds=1)
SETTINGS = SheddingSettings(smoothing=2 * SECOND, interval=timedelta(milliseconds=20))


def test_what_is_busy_for_long_is_busy() -> None:
    clock, cpu = FakeClock(), FakeCpu(100.0)
    load = CpuLoad(SETTINGS, cpu, clock=clock)
    found = []
    for _ in range(8):
        clock.advance(SECOND)
        load.sample()
        found.append(round(load.percent))
    assert found == [39, 63, 78, 86, 92, 95, 97, 98]


def test_a_late_sample_counts_for_the_time_that_it_is_about() -> None:
    clock, cpu = FakeClock(), FakeCpu(100.0)
    often, seldom = (CpuLoad(SETTINGS, cpu, clock=clock) for _ in range(2))
    for _ in range(10):
        clock.advance(SECOND / 5)
        often.sample()
    seldom.sample()
    assert often.percent == pytest.approx(seldom.percent)


def test_what_cannot_be_told_yet_changes_nothing() -> None:
    clock, cpu = FakeClock(), FakeCpu(90.0)
    load = CpuLoad(SETTINGS, cpu, clock=clock)
    clock.advance(SECOND)
    load.sample()
    before, cpu.reading = load.percent, None
    clock.advance(SECOND)
    load.sample()
    assert load.percent == before > 0


def test_a_probe_that_fails_is_logged_once_and_sheds_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, cpu = FakeClock(), FakeCpu(100.0)
    load = CpuLoad(SETTINGS, cpu, clock=clock)
    clock.advance(10 * SECOND)
    load.sample()
    cpu.reading = OSError("no such file")
    for _ in range(10):
        clock.advance(SECOND)
        load.sample()
    assert load.percent < 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_the_average_is_told() -> None:
    registry, clock = CollectorRegistry(), FakeClock()
    load = CpuLoad(SETTINGS, FakeCpu(50.0), clock=clock, metrics=SheddingMetrics(registry))
    clock.advance(60 * SECOND)
    load.sample()
    assert registry.get_sample_value("shedding_cpu_percent") == pytest.approx(50)


class Signalling:
    """A probe that tells when it was read twice: the first reading has no time before it."""

    def __init__(self) -> None:
        self.twice = threading.Event()
        self.threads: list[str] = []

    def read(self) -> float | None:
        self.threads.append(threading.current_thread().name)
        if len(self.threads) > 1:
            self.twice.set()
        return 100.0


async def test_it_samples_in_its_own_thread_until_it_is_stopped() -> None:
    probe = Signalling()
    load = CpuLoad(SETTINGS, probe, clock=SystemClock())
    await load.start()
    assert probe.twice.wait(10)
    await load.stop()
    assert set(probe.threads) == {"cpu-load"}
    assert load.percent > 0
    assert not [each for each in threading.enumerate() if each.name == "cpu-load"]


async def test_without_shedding_nothing_is_sampled() -> None:
    cpu = FakeCpu(100.0)
    load = CpuLoad(SETTINGS.model_copy(update={"enabled": False}), cpu, clock=SystemClock())
    await load.start()
    await load.stop()
    assert cpu.reads == 0
