"""Both clocks keep the promises of `Clock`; the fake one moves only when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pkg.clock import Clock, FakeClock, SystemClock


@pytest.fixture(params=[SystemClock, FakeClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_now_is_aware_and_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


def test_time_is_the_same_instant_as_now(clock: Clock) -> None:
    assert clock.time() == pytest.approx(clock.now().timestamp(), abs=5)


def test_monotonic_never_goes_back(clock: Clock) -> None:
    first = clock.monotonic()
    assert clock.monotonic() >= first


def test_fake_stands_still() -> None:
    clock = FakeClock()
    assert (clock.now(), clock.time()) == (clock.now(), clock.time())


def test_fake_moves_all_its_hands_together() -> None:
    clock = FakeClock(datetime(2026, 5, 4, 12, tzinfo=UTC))
    before = clock.time()
    clock.advance(timedelta(minutes=1, milliseconds=500))
    assert clock.now() == datetime(2026, 5, 4, 12, 1, 0, 500_000, tzinfo=UTC)
    assert clock.time() - before == 60.5
    assert clock.monotonic() == 60.5


def test_fake_shows_utc_whatever_zone_it_starts_in() -> None:
    clock = FakeClock(datetime(2026, 5, 4, 12, tzinfo=timezone(timedelta(hours=8))))
    assert clock.now() == datetime(2026, 5, 4, 4, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_fake_refuses_to_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        FakeClock().advance(timedelta(seconds=-1))


def test_fake_refuses_a_naive_start() -> None:
    with pytest.raises(ValueError, match="aware"):
        FakeClock(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive time is what is refused
