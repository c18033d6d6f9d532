"""What can be in flight, learnt from what was served."""

from __future__ import annotations

import pytest

from pkg.shedding.window import Window


def made() -> Window:
    """Ten seconds in buckets of one."""
    return Window(10.0, 10)


def served(window: Window, at: float, calls: int, seconds: float) -> None:
    for _ in range(calls):
        window.add(at, seconds, busy=False)


def test_nothing_is_known_at_the_begin_nor_of_the_bucket_that_runs() -> None:
    window = made()
    served(window, 0.5, 100, 0.1)
    assert window.limit == 0


def test_the_limit_is_the_most_that_passed_times_the_least_that_one_took() -> None:
    window = made()
    served(window, 0.5, 100, 0.5)
    served(window, 1.5, 20, 0.1)
    window.turn(2.0, busy=False)
    assert window.limit == pytest.approx(10)


def test_a_bucket_takes_the_average_of_its_calls() -> None:
    window = made()
    served(window, 0.5, 50, 0.1)
    served(window, 0.6, 50, 0.3)
    window.turn(1.0, busy=False)
    assert window.limit == pytest.approx(20)


def test_what_passed_is_reckoned_per_second() -> None:
    window = Window(1.0, 10)
    served(window, 0.05, 10, 0.1)
    window.turn(0.1, busy=False)
    assert window.limit == pytest.approx(10)


def test_what_lies_before_the_window_is_forgotten() -> None:
    window = made()
    served(window, 0.5, 100, 0.1)
    served(window, 5.5, 10, 0.1)
    window.turn(9.9, busy=False)
    assert window.limit == pytest.approx(10)
    window.turn(10.0, busy=False)
    assert window.limit == pytest.approx(1)
    window.turn(1000.0, busy=False)
    assert window.limit == 0


def test_time_that_does_not_move_changes_nothing() -> None:
    window = made()
    served(window, 3.5, 10, 0.1)
    window.turn(4.0, busy=False)
    before = window.limit
    window.turn(4.0, busy=False)
    window.turn(3.9, busy=False)
    assert window.limit == before > 0


def test_while_calls_wait_for_each_other_the_least_is_not_forgotten() -> None:
    window = made()
    served(window, 0.5, 10, 0.1)
    for second in range(1, 40):
        window.add(second + 0.5, 5.0, busy=True)
    assert window.limit == pytest.approx(0.1)
    window.turn(40.0, busy=False)
    assert window.limit == pytest.approx(5)


def test_what_began_with_waiting_takes_the_least_of_it() -> None:
    window = made()
    for second in range(40):
        window.add(second + 0.5, 3.0 + second, busy=True)
    assert window.limit == pytest.approx(3)
