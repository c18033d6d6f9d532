"""Instants as lines say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.log.timestamp import Timestamps, timestamp


def test_an_instant_is_utc_with_milliseconds() -> None:
    assert timestamp(1767225600.0129) == "2026-01-01T00:00:00.012Z"


@pytest.mark.parametrize("seconds", [0.0, -0.5, -1.0, 1.9999997, 1.9999999, 1.0009995, 4e9])
def test_edges_are_shown_alike(seconds: float) -> None:
    assert Timestamps().of(seconds) == timestamp(seconds)


@given(st.lists(st.floats(-1e9, 4e9), max_size=5))
def test_whatever_came_before_the_text_is_the_same(instants: list[float]) -> None:
    quick = Timestamps()
    for each in instants:
        assert [quick.of(each), quick.of(each)] == [timestamp(each)] * 2
