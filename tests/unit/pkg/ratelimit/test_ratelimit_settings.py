"""Limits are written as people say them, and those that cannot be counted are refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pkg.ratelimit import Algorithm, RateLimitSettings, Rule


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        (
            {"rate": 100, "per": "1m", "burst": 20, "algorithm": "gcra"},
            Rule(Algorithm.GCRA, 20, 600_000_000),
        ),
        ({"rate": 3, "per": "1s"}, Rule(Algorithm.GCRA, 3, 333_333_333)),
        (
            {"rate": 100, "per": "1m", "algorithm": "slidingWindow"},
            Rule(Algorithm.SLIDING_WINDOW, 100, 60_000),
        ),
        (
            {"rate": 10, "per": "1s", "burst": 5, "algorithm": "leakyBucket"},
            Rule(Algorithm.LEAKY_BUCKET, 5, 100_000_000),
        ),
    ],
)
def test_a_limit_is_read(written: dict[str, Any], rule: Rule) -> None:
    assert RateLimitSettings.model_validate(written).rule() == rule


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"rate": 0, "per": "1m"}, "rate"),
        ({"rate": 1, "per": "0s"}, "per"),
        ({"rate": 1, "per": "31d"}, "per"),
        ({"rate": 1, "per": "1m", "burst": 0}, "burst"),
        ({"rate": 1, "per": "1m", "algorithm": "fixedWindow"}, "algorithm"),
        ({"rate": 1, "per": "1m", "burst": 1, "algorithm": "slidingWindow"}, "no burst"),
        ({"rate": 1_000_000, "per": "1ms"}, "million per second"),
        ({"rate": 1, "per": "1d", "burst": 51}, "50 days"),
        ({"rate": 1, "per": "1m", "limit": 1}, "limit"),
    ],
)
def test_a_limit_that_cannot_be_counted_is_refused(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        RateLimitSettings.model_validate(written)
