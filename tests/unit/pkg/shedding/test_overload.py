"""A server with one core under more load than it can bear, with and without shedding."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from pkg.clock import FakeClock
from pkg.shedding import CpuLoad, Shedder, SheddingSettings

TAKES = 0.005
"""CPU seconds of a call, on average; one core serves 200 of them per second."""
CAPACITY = 1 / TAKES
CALM, STORM = 20.0, 60.0
"""Seconds: until then half of the capacity is asked for, from then on more than all of it."""
SETTLED = 42.0
"""By when shedding has found its limit."""


@dataclass
class Server:
    """Serves calls one after the other, in the order in which they came. Simulated."""

    settings: SheddingSettings
    times: float = 3
    """The load in the storm, by the capacity."""
    clock: FakeClock = field(default_factory=FakeClock)
    latencies: list[float] = field(default_factory=list)
    """Of the calls that came in the storm, once it was settled."""
    finished: int = 0
    """Calls that ended in that time."""
    shed: int = 0
    shed_when_calm: int = 0
    idle_at: float = 0.0
    work: float = 0.0
    worked: float = 0.0

    def __post_init__(self) -> None:
        self.cpu = CpuLoad(self.settings, self, clock=self.clock)
        self.shedder = Shedder(self.settings, self.cpu, clock=self.clock)

    def read(self) -> float:
        """As a `CpuProbe`: the share of the last interval in which it worked."""
        done = self.work - max(0.0, self.idle_at - self.clock.monotonic())
        share = (done - self.worked) / self.settings.interval.total_seconds()
        self.worked = done
        return 100 * share

    def run(self, seed: int = 1) -> None:
        chance = random.Random(seed)  # noqa: S311 - a simulation, the same in every run
        ends: list[tuple[float, float]] = []
        interval = self.settings.interval.total_seconds()
        arrival, sample = 0.0, interval
        while True:
            end = ends[0][0] if ends else float("inf")
            now = min(arrival, sample, end)
            if now >= STORM:
                return
            self.clock.advance(timedelta(seconds=max(0.0, now - self.clock.monotonic())))
            if now == end:
                self.leave(*heapq.heappop(ends))
            elif now == sample:
                self.cpu.sample()
                sample += interval
            else:
                self.arrive(now, chance.expovariate(1 / TAKES), ends)
                rate = CAPACITY / 2 if now < CALM else self.times * CAPACITY
                arrival += chance.expovariate(rate)

    def arrive(self, now: float, takes: float, ends: list[tuple[float, float]]) -> None:
        if self.settings.enabled and not self.shedder.admits():
            self.shed += 1
            self.shed_when_calm += now < CALM
            return
        self.idle_at = max(now, self.idle_at) + takes
        self.work += takes
        heapq.heappush(ends, (self.idle_at, self.shedder.enter()))

    def leave(self, now: float, entered: float) -> None:
        self.shedder.leave(entered, passed=True)
        if now >= SETTLED:
            self.finished += 1
            self.latencies.append(now - entered)

    def slowest(self, share: float = 0.99) -> float:
        """The latency that this share of the calls has at most."""
        return sorted(self.latencies)[int(share * len(self.latencies))]


@pytest.mark.parametrize("times", [1.2, 3, 10])
def test_under_overload_what_is_taken_is_served_in_time_and_the_core_is_used(
    times: float,
) -> None:
    server = Server(SheddingSettings(min_in_flight=10), times)
    server.run()
    assert server.finished / (STORM - SETTLED) >= 0.95 * CAPACITY
    assert server.slowest() < 0.3
    assert server.shed_when_calm == 0
    assert server.shed > 0


def test_without_shedding_the_same_load_makes_every_call_wait_longer_and_longer() -> None:
    server = Server(SheddingSettings(enabled=False))
    server.run()
    assert server.finished / (STORM - SETTLED) >= 0.95 * CAPACITY
    assert min(server.latencies) > 5
    assert max(server.latencies) > 20
