"""Every call has an id that can be trusted in a log line."""

from __future__ import annotations

import pytest

from pkg.middleware import request_id
from pkg.tokens import FakeTokens
from tests.unit.pkg.middleware.calls import Service, around, call


async def given(headers: dict[str, str]) -> str:
    at = call(headers=headers)
    await around(request_id(FakeTokens()), Service())(at, None)
    assert at.reply_headers == [("x-request-id", at.request_id)]
    return at.request_id


@pytest.mark.parametrize("valid", ["a", "trace-1_2.3", "x" * 128])
async def test_the_callers_id_is_kept(valid: str) -> None:
    assert await given({"x-request-id": valid}) == valid


@pytest.mark.parametrize("bad", ["", " ", "x" * 129, "a\nb", "a b", "ü", "<script>"])
async def test_an_id_that_could_do_harm_is_replaced(bad: str) -> None:
    assert await given({"x-request-id": bad}) == FakeTokens().hex(16)


async def test_a_call_without_one_gets_one() -> None:
    assert len(await given({})) == 32
