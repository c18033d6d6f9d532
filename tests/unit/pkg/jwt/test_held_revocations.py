"""What is held becomes only stricter, ends with its time, and is bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pkg.clock import FakeClock
from pkg.jwt.held import FullError, HeldRevocations

SECOND = timedelta(seconds=1)


def test_in_doubt_only_what_is_revoked_is_certain() -> None:
    held = HeldRevocations(FakeClock())
    held.end_session("s", 10)
    held.raise_version("u", 3, 10)

    assert held.refused("s", "other", 9) is True
    assert held.refused("other", "u", 2) is True
    assert held.refused("other", "u", 3) is None
    assert held.refused("other", "other", 0) is None
    assert not held.in_step


def test_vouched_for_it_is_certain_of_all_until_that_time_is_over() -> None:
    clock = FakeClock()
    held = HeldRevocations(clock)
    held.end_session("s", 10)

    held.vouch(2)
    assert held.in_step
    assert (held.refused("s", "u", 1), held.refused("other", "u", 1)) == (True, False)
    clock.advance(2 * SECOND)
    assert not held.in_step
    assert (held.refused("s", "u", 1), held.refused("other", "u", 1)) == (True, None)


def test_doubt_takes_back_what_was_vouched_for() -> None:
    held = HeldRevocations(FakeClock())
    held.vouch(2)

    held.doubt()

    assert held.refused("s", "u", 1) is None


def test_neither_versions_nor_times_sink() -> None:
    clock = FakeClock()
    held = HeldRevocations(clock)
    held.end_session("s", 10)
    held.end_session("s", 5)
    held.raise_version("u", 3, 5)
    held.raise_version("u", 2, 10)
    held.vouch(100)

    clock.advance(9 * SECOND)
    assert held.refused("s", "other", 1)
    assert held.refused("other", "u", 2)
    assert not held.refused("other", "u", 3)

    clock.advance(SECOND)
    assert not held.refused("s", "u", 2)


def test_what_is_over_is_let_go_of() -> None:
    clock = FakeClock()
    held = HeldRevocations(clock)
    for number in range(10):
        held.end_session(f"s{number}", number + 1)
        held.raise_version(f"u{number}", 1, number + 1)

    clock.advance(5 * SECOND)
    held.vouch(100)

    assert len(held) == 10


def test_what_was_extended_does_not_keep_others() -> None:
    clock = FakeClock()
    held = HeldRevocations(clock)
    held.end_session("first", 1)
    held.end_session("second", 2)
    held.end_session("first", 10)

    clock.advance(2 * SECOND)
    held.vouch(100)

    assert len(held) == 1


def test_without_room_all_is_in_doubt_until_it_was_told_of_everything_again() -> None:
    clock = FakeClock()
    held = HeldRevocations(clock, limit=2)
    held.end_session("s1", 1)
    held.raise_version("u", 3, 10)
    held.vouch(100)

    held.end_session("s2", 10)

    assert len(held) == 2
    assert not held.in_step
    assert held.refused("s2", "other", 1) is None
    clock.advance(SECOND)  # there is room, but what found none is missing
    held.end_session("s3", 10)
    with pytest.raises(FullError, match="more than 2"):
        held.vouch(100)
    assert held.refused("s2", "other", 1) is None

    held.restart()
    held.end_session("s2", 10)
    held.vouch(100)
    assert held.refused("s2", "other", 1) is True
    assert held.refused("s1", "other", 1) is False


def test_what_is_held_already_needs_no_room() -> None:
    held = HeldRevocations(FakeClock(), limit=2)
    held.end_session("s", 1)
    held.raise_version("u", 3, 1)

    held.end_session("s", 10)
    held.raise_version("u", 4, 10)
    held.vouch(100)

    assert held.refused("other", "u", 3) is True


def test_one_that_lasts_takes_no_room_from_those_behind_it() -> None:
    clock = FakeClock()
    held = HeldRevocations(clock, limit=2)
    held.end_session("for ever", float("inf"))
    held.end_session("s1", 1)
    clock.advance(SECOND)

    held.end_session("s2", 10)
    held.vouch(100)

    assert held.refused("s2", "u", 1) is True
