"""Patterns: those of RE2 said for JSON Schema, and those that bound an integer's text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.openapi.patterns import escape, to_ecma
from pkg.openapi.whole import whole_pattern


@pytest.mark.parametrize(
    ("re2", "ecma"),
    [
        ("^[a-z]+$", "^[a-z]+$"),
        (r"\Aa\z", "^a$"),
        (r"^\d\D\w\W$", "^[0-9][^0-9][0-9A-Za-z_][^0-9A-Za-z_]$"),
        (r"[\d_-]", "[0-9_-]"),
        (r"\s\S", r"[\t\n\f\r ][^\t\n\f\r ]"),
        ("a.b", r"a[^\n]b"),
        (r"a\.b", r"a\.b"),
        ("[.]", "[.]"),
        (r"[\]^]", r"[\]^]"),
        ("[]a]", r"[\]a]"),
        ("[^]a]", r"[^\]a]"),
        ("[[:alpha:][:digit:]-]", "[A-Za-z0-9-]"),
        ("(?:a|b)(?P<x>c)(?<y>d)", "(?:a|b)(?<x>c)(?<y>d)"),
        (r"\x41\x2e", r"A\."),
        (r"\-\@", r"\-@"),
        (r"\t\bx", r"\t\bx"),
    ],
)
def test_a_pattern_is_said_in_the_other_dialect(re2: str, ecma: str) -> None:
    assert to_ecma(re2) == ecma
    re.compile(ecma.replace("(?<", "(?P<"))


@pytest.mark.parametrize(
    "re2", ["(?i)a", r"\pL", r"\p{Greek}", r"[\D]", r"\Qa\E", r"\C", "[[:nope:]]", "a\\", "[a"]
)
def test_what_the_other_dialect_cannot_say_is_none(re2: str) -> None:
    assert to_ecma(re2) is None


@given(st.text())
def test_an_escaped_text_matches_itself(text: str) -> None:
    assert re.fullmatch(escape(text), text)


@given(st.integers(-9_999_999, 9_999_999), st.integers(-9_999_999, 9_999_999), st.integers())
def test_a_short_range_is_said_exactly(one: int, other: int, number: int) -> None:
    low, high = sorted((one, other))
    pattern = whole_pattern(low, high)
    assert pattern is not None
    for each in (number, low, high, low - 1, high + 1):
        assert bool(re.match(pattern, str(each))) == (low <= each <= high)


@given(st.integers(-(2**64), 2**64), st.integers(-(2**64), 2**64), st.integers(-(2**64), 2**64))
def test_what_matches_is_in_the_range(one: int, other: int, number: int) -> None:
    low, high = sorted((one, other))
    pattern = whole_pattern(low, high)
    for each in (number, low, high, low - 1, high + 1):
        if pattern is not None and re.match(pattern, str(each)):
            assert low <= each <= high


def test_other_spellings_of_a_number_do_not_match() -> None:
    pattern = whole_pattern(-100, 100)
    assert pattern is not None
    assert not any(re.match(pattern, each) for each in ("01", "+1", "-0", "1.0", "", " 1", "1e1"))


def test_a_range_of_which_nothing_can_be_said_is_none() -> None:
    assert whole_pattern(10**18 + 1, 10**18 + 2) is None
