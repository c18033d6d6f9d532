"""How long the waits between tries are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from pkg.backoff import Backoff, BackoffSettings

SECOND = timedelta(seconds=1)
SETTINGS = BackoffSettings(first=SECOND, longest=5 * SECOND, factor=2, spread=0.5)


def test_waits_grow_up_to_the_longest() -> None:
    backoff = Backoff(SETTINGS, lambda: 0.0)

    waits = [backoff.wait(failures) for failures in (1, 2, 3, 4, 9999)]

    assert waits == [SECOND, 2 * SECOND, 4 * SECOND, 5 * SECOND, 5 * SECOND]


def test_chance_shortens_a_wait_by_at_most_its_spread() -> None:
    assert Backoff(SETTINGS, lambda: 1.0).wait(1) == SECOND / 2
    assert Backoff(SETTINGS, lambda: 0.5).wait(4) == 3.75 * SECOND


def test_without_a_failure_there_is_no_wait() -> None:
    with pytest.raises(ValueError, match="without a failure"):
        Backoff(SETTINGS, lambda: 0.0).wait(0)


def test_a_longest_that_is_shorter_than_the_first_is_refused() -> None:
    with pytest.raises(ValidationError, match="longest is shorter than first"):
        BackoffSettings(first=SECOND, longest=SECOND / 2)
