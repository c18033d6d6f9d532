"""How long a client says that it waits, and what comes of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pkg.http.timeout import seconds_of
from pkg.middleware import deadline
from tests.unit.pkg.http.lab import lab


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(b"500ms", 0.5), (b"2s", 2), (b"1m", 60), (b"0ms", 0), (b"999999999s", 999999999)],
)
def test_what_can_be_said(header: bytes, seconds: float) -> None:
    assert seconds_of(header) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "header", [b"", b"5", b"-5s", b"1.5s", b"5 s", b"5S", b"1h", b"5s, 6s", b"9999999999s", b"5s\n"]
)
def test_what_cannot_be_read_says_nothing(header: bytes) -> None:
    assert seconds_of(header) is None


async def left_with(header: str, limit: timedelta) -> float:
    """Seconds that the service is given."""
    made = lab(chain=[deadline(limit)])
    before = asyncio.get_running_loop().time()
    await made.ask("GET", "/v1/captcha", headers={"request-timeout": header})
    (call,) = made.auth.calls
    assert call.deadline is not None
    return call.deadline - before


async def test_a_client_may_have_less_time_than_the_server_gives() -> None:
    assert 1.9 < await left_with("2s", timedelta(seconds=10)) < 5


async def test_a_client_cannot_have_more() -> None:
    assert 9.9 < await left_with("1m", timedelta(seconds=10)) < 15
    assert 9.9 < await left_with("soon", timedelta(seconds=10)) < 15


async def test_a_client_that_waits_for_nothing_is_refused() -> None:
    made = lab(chain=[deadline(timedelta(seconds=10))])
    answer = await made.ask("GET", "/v1/captcha", headers={"request-timeout": "0s"})
    assert answer.status_code == 504
    assert made.auth.calls == []
