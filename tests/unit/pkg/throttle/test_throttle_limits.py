"""Locks grow with failures, and memory does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from pkg.clock import FakeClock
from pkg.throttle import MemoryThrottle, ThrottleSettings, every_key


@pytest.mark.parametrize(
    ("failures", "seconds"), [(4, None), (5, 30), (6, 60), (7, 120), (10, 900), (5000, 900)]
)
def test_the_default_lock_by_failures(failures: int, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert ThrottleSettings().lock_after(failures) == expected


def test_a_longest_lock_shorter_than_the_first_is_refused() -> None:
    with pytest.raises(ValidationError, match="longestLock"):
        ThrottleSettings.model_validate({"lockFor": "2m", "longestLock": "1m"})


async def test_beyond_its_capacity_the_key_that_failed_longest_ago_is_forgotten() -> None:
    limits = every_key(ThrottleSettings(max_failures=1))
    throttle = MemoryThrottle(limits, clock=FakeClock(), capacity=2)

    for key in ("a", "b", "a", "c"):
        await throttle.failed([key])

    assert await throttle.check(["b"]) is None
    assert await throttle.check(["a"]) is not None
    assert await throttle.check(["c"]) is not None
