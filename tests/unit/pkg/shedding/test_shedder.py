"""Which calls are taken: by how busy the CPU is, and how many are in flight."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.clock import FakeClock
from pkg.shedding import Shedder, SheddingMetrics, SheddingSettings
from tests.unit.pkg.shedding.loads import FakeLoad

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND = timedelta(seconds=1)


class World:
    def __init__(self, **settings: Any) -> None:
        self.clock = FakeClock()
        self.load = FakeLoad(100.0)
        self.registry = CollectorRegistry()
        facts = {"min_in_flight": 2, "buckets": 10, "window": 10 * SECOND, **settings}
        self.shedder = Shedder(
            SheddingSettings(**facts),
            self.load,
            clock=self.clock,
            metrics=SheddingMetrics(self.registry).of("http"),
        )
        self.entered: list[float] = []

    def enter(self, calls: int) -> None:
        self.entered += [self.shedder.enter() for _ in range(calls)]

    def leave(self, passed: bool = True) -> None:
        for entered in self.entered:
            self.shedder.leave(entered, passed=passed)
        self.entered.clear()

    def serve(self, calls: int, takes: timedelta = SECOND, passed: bool = True) -> None:
        """Begin calls and end them after a time; a second later they are known."""
        self.enter(calls)
        self.clock.advance(takes)
        self.leave(passed)
        self.clock.advance(SECOND)

    def value(self, name: str) -> float | None:
        return self.registry.get_sample_value(name, {"transport": "http"})


def messages(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    return [record.getMessage() for record in caplog.records]


def test_while_the_cpu_is_idle_everything_is_taken() -> None:
    world = World()
    world.load.percent = 79.9
    world.enter(1000)
    assert world.shedder.admits()


def test_while_nothing_is_known_the_minimum_is_taken() -> None:
    world = World()
    world.enter(1)
    assert world.shedder.admits()
    world.enter(1)
    assert not world.shedder.admits()


def test_as_many_are_taken_as_were_served_without_waiting() -> None:
    world = World()
    world.serve(6)
    world.enter(5)
    assert world.shedder.admits()
    world.enter(1)
    assert not world.shedder.admits()
    assert world.shedder.limit == 6


@pytest.mark.parametrize(("passed", "limit"), [(True, 8), (False, 2)])
def test_what_did_not_come_through_says_nothing(passed: bool, limit: int) -> None:
    world = World()
    world.serve(8, passed=passed)
    world.enter(limit)
    assert not world.shedder.admits()
    assert world.shedder.limit == limit
    assert world.shedder.in_flight == limit


def test_after_a_refusal_the_limit_holds_for_the_cool_down_although_the_cpu_is_idle() -> None:
    world = World(cool_down=SECOND)
    world.enter(2)
    assert not world.shedder.admits()
    world.load.percent = 10
    world.clock.advance(SECOND * 0.9)
    assert not world.shedder.admits()
    world.clock.advance(SECOND * 0.1)
    assert world.shedder.admits()
    world.enter(50)
    assert world.shedder.admits()


def test_refusals_while_the_cpu_is_idle_do_not_make_the_cool_down_longer() -> None:
    world = World(cool_down=SECOND)
    world.enter(2)
    world.shedder.admits()
    world.load.percent = 10
    for _ in range(9):
        world.clock.advance(SECOND / 10)
        assert not world.shedder.admits()
    world.clock.advance(SECOND / 10)
    assert world.shedder.admits()


def test_during_the_cool_down_what_is_within_the_limit_is_taken() -> None:
    world = World(cool_down=SECOND)
    world.enter(2)
    world.shedder.admits()
    world.load.percent = 10
    world.leave()
    assert world.shedder.admits()


def test_what_is_refused_in_flight_and_the_limit_are_told() -> None:
    world = World()
    world.serve(6)
    world.enter(6)
    assert [world.shedder.admits() for _ in range(3)] == [False] * 3
    assert world.value("shedding_shed_total") == 3
    assert world.value("shedding_in_flight") == 6
    assert world.value("shedding_limit") == 6


def test_the_log_says_once_that_calls_are_refused_and_that_they_are_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    world.enter(2)
    for _ in range(5):
        world.shedder.admits()
    world.load.percent = 0
    world.clock.advance(2 * SECOND)
    for _ in range(5):
        world.shedder.admits()
    assert messages(caplog) == [
        "calls are refused: CPU at 100 %, 2 in flight, limit 2",
        "calls are taken again; 5 were refused",
    ]


def test_a_bucket_lasts_a_millisecond_at_least() -> None:
    with pytest.raises(ValueError, match="millisecond"):
        SheddingSettings(window=SECOND / 2, buckets=1000)


def test_a_window_remembers_how_it_was_before_the_cpu_became_busy() -> None:
    with pytest.raises(ValueError, match="smoothing"):
        SheddingSettings(window=3 * SECOND, smoothing=2 * SECOND)


def test_a_caller_is_told_whole_seconds() -> None:
    assert World(retry_after=SECOND * 1.2).shedder.retry_after == 2
