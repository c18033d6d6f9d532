"""What is a key, and what is not."""

from __future__ import annotations

import pytest

from pkg.idempotency import key_of


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("a+b/c=,;:{}", "a+b/c=,;:{}"),
        ("  a\t", "a"),
        ("x" * 255, "x" * 255),
        ('"' + r"\\" * 255 + '"', "\\" * 255),
    ],
)
def test_a_key_is_the_text_with_or_without_quotes(header: str, key: str) -> None:
    assert key_of(header) == key


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        '""',
        '"',
        '"a',
        'a"',
        'a"b',
        r"a\b",
        r'"a\"',
        r'"a\b"',
        "a b",
        '"a b"',
        "a, b",
        '"a", "b"',
        '"a";p=1',
        "é",
        '"é"',
        "a\n",
        "a\x7f",
        "x" * 256,
        '"' + "x" * 256 + '"',
        '"' + "x" * 1000 + '"',
    ],
)
def test_anything_else_is_none(header: str) -> None:
    assert key_of(header) is None
