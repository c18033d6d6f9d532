"""When calls are let through, and when not."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.breaker import (
    BreakerMetrics,
    BreakerSettings,
    CircuitBreaker,
    CircuitOpenError,
    State,
)
from pkg.clock import FakeClock

OPEN_FOR = timedelta(seconds=30)


class Lab:
    """A breaker, its clock, and calls that end as they are told."""

    def __init__(self, **settings: Any) -> None:
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.breaker = CircuitBreaker(
            "mail",
            BreakerSettings(**({"consecutive": 3, "open_for": OPEN_FOR} | settings)),
            clock=self.clock,
            is_failure=lambda error: isinstance(error, OSError),
            metrics=BreakerMetrics(self.registry),
        )

    def call(self, outcome: BaseException | None = None) -> None:
        with self.breaker.guard():
            if outcome is not None:
                raise outcome

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(OSError, match="gone"):
                self.call(OSError("gone"))

    def calls(self, outcome: str) -> float | None:
        labels = {"name": "mail", "outcome": outcome}
        return self.registry.get_sample_value("breaker_calls_total", labels)

    def state(self) -> State:
        return self.breaker.state

    def shown(self) -> float | None:
        return self.registry.get_sample_value("breaker_state", {"name": "mail"})


def test_calls_pass_while_few_fail() -> None:
    lab = Lab(ratio=0.9)
    for _ in range(10):
        lab.fail(2)
        lab.call()

    assert lab.state() is State.CLOSED
    assert lab.breaker.retry_after == 0


def test_enough_failures_in_a_row_open_it() -> None:
    lab = Lab()
    lab.fail(3)

    with pytest.raises(CircuitOpenError, match="mail is left alone") as caught:
        lab.call()
    assert caught.value.retry_after == lab.breaker.retry_after == 30
    assert lab.state() is State.OPEN


def test_the_part_of_failures_within_the_window_opens_it() -> None:
    lab = Lab(consecutive=100, ratio=0.5, min_calls=10)
    for _ in range(4):
        lab.call()
        lab.fail()
    lab.call()
    assert lab.state() is State.CLOSED
    lab.fail()

    assert lab.state() is State.OPEN


def test_calls_before_the_window_do_not_count() -> None:
    lab = Lab(consecutive=100, ratio=0.5, min_calls=10, window=timedelta(seconds=10))
    lab.fail(9)
    lab.clock.advance(timedelta(seconds=10))
    lab.fail(9)
    assert lab.state() is State.CLOSED

    lab.fail()
    assert lab.state() is State.OPEN


def test_what_is_no_failure_of_the_called_does_not_open_it() -> None:
    lab = Lab()
    for _ in range(10):
        with pytest.raises(ValueError, match="refused"):
            lab.call(ValueError("refused"))

    assert lab.state() is State.CLOSED
    assert lab.calls("ok") == 10


def test_after_a_while_one_call_tries_and_closes_it() -> None:
    lab = Lab()
    lab.fail(3)
    lab.clock.advance(OPEN_FOR)
    assert lab.breaker.retry_after == 0
    lab.call()

    assert lab.state() is State.CLOSED
    lab.fail(2)
    assert lab.state() is State.CLOSED


def test_a_try_that_fails_opens_it_again() -> None:
    lab = Lab()
    lab.fail(3)
    lab.clock.advance(OPEN_FOR)
    lab.fail()

    assert lab.state() is State.OPEN
    assert lab.breaker.retry_after == 30


def test_no_more_than_the_probes_try_at_once_and_all_must_succeed() -> None:
    lab = Lab(probes=2)
    lab.fail(3)
    lab.clock.advance(OPEN_FOR)
    with lab.breaker.guard(), lab.breaker.guard(), pytest.raises(CircuitOpenError):
        lab.call()
    assert lab.state() is State.CLOSED


def test_one_probe_of_two_is_not_enough() -> None:
    lab = Lab(probes=2)
    lab.fail(3)
    lab.clock.advance(OPEN_FOR)
    lab.call()
    assert lab.state() is State.HALF_OPEN
    lab.call()

    assert lab.state() is State.CLOSED


def test_a_call_that_began_before_it_opened_tells_nothing_of_now() -> None:
    lab = Lab()
    with lab.breaker.guard():
        lab.fail(3)
        lab.clock.advance(OPEN_FOR)
        with lab.breaker.guard():
            pass
        lab.fail(2)
    lab.fail()

    assert lab.state() is State.OPEN


async def test_a_probe_that_is_cancelled_lets_another_one_try() -> None:
    lab = Lab()
    lab.fail(3)
    lab.clock.advance(OPEN_FOR)

    async def hang() -> None:
        with lab.breaker.guard():
            await asyncio.Event().wait()

    probe = asyncio.create_task(hang())
    await asyncio.sleep(0)
    with pytest.raises(CircuitOpenError):
        lab.call()
    probe.cancel()
    await asyncio.wait({probe})

    lab.call()
    assert lab.state() is State.CLOSED
    assert lab.calls("cancelled") == 1


def test_metrics_show_state_and_calls() -> None:
    lab = Lab()
    lab.call()
    assert lab.shown() == 0
    lab.fail(3)
    with pytest.raises(CircuitOpenError):
        lab.call()
    assert lab.shown() == 2

    assert [lab.calls(outcome) for outcome in ("ok", "failed", "refused")] == [1, 3, 1]


def test_threads_share_it() -> None:
    lab = Lab(consecutive=10_000, ratio=1)
    begin = threading.Barrier(4)

    def work() -> None:
        begin.wait()
        for _ in range(500):
            lab.call()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert lab.calls("ok") == 2000
    lab.fail(10_000)
    assert lab.state() is State.OPEN


def test_a_call_may_judge_its_own_errors() -> None:
    lab = Lab(consecutive=1)
    with pytest.raises(OSError, match="gone"), lab.breaker.guard(lambda _: False):
        raise OSError("gone")
    assert (lab.state(), lab.calls("ok")) == (State.CLOSED, 1)
    with pytest.raises(LookupError), lab.breaker.guard(lambda _: True):
        raise LookupError
    assert lab.state() is State.OPEN


def test_an_error_that_says_nothing_leaves_the_probe_to_another() -> None:
    lab = Lab(consecutive=1)
    lab.fail()
    lab.clock.advance(OPEN_FOR)
    with pytest.raises(OSError, match="gone"), lab.breaker.guard(lambda _: None):
        raise OSError("gone")
    assert (lab.state(), lab.calls("cancelled")) == (State.HALF_OPEN, 1)
    lab.call()
    assert lab.state() is State.CLOSED
