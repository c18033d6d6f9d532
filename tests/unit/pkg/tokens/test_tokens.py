"""Sources of tokens draw what was asked for; the fake one can be foretold."""

from __future__ import annotations

import re

import pytest

from pkg.tokens import FakeTokens, SystemTokens, Tokens


@pytest.mark.parametrize("tokens", [SystemTokens(), FakeTokens()], ids=["system", "fake"])
def test_what_is_drawn_has_its_form_and_is_new_each_time(tokens: Tokens) -> None:
    assert len(tokens.random_bytes(7)) == 7
    assert re.fullmatch("[0-9a-f]{32}", tokens.hex())
    assert re.fullmatch("[A-Za-z0-9_-]{43}", tokens.urlsafe())
    assert re.fullmatch("[0-9]{6}", tokens.digits(6))
    assert len({tokens.hex() for _ in range(100)}) == 100


def test_the_fake_draws_the_same_for_the_same_seed() -> None:
    assert FakeTokens("a").hex() == FakeTokens("a").hex()
    assert FakeTokens("a").hex() != FakeTokens("b").hex()
