"""Accept-Language, as RFC 9110 has it."""

from __future__ import annotations

import pytest

from pkg.rpc.language import Languages


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("fr", "zh"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("zh-Hant-TW", "zh"),
        ("en,zh", "en"),
        ("zh,en", "zh"),
        ("zh;q=0.5,en;q=0.8", "en"),
        ("en;q=0.5, zh;q=0.8", "zh"),
        ("fr, en;q=0.2", "en"),
        ("*", "zh"),
        ("zh;q=0, *", "en"),
        ("*;q=0.1, en;q=0.5", "en"),
        ("en;q=0", "zh"),
        ("en;q=0, zh;q=0", "zh"),
        ("en; q=1.000", "en"),
        ("en;q=2", "zh"),
        ("en;q=x,zh", "zh"),
        (";;;,,,", "zh"),
        ("en" + ", fr" * 100_000, "en"),
        ("fr," * 100_000 + "en", "zh"),
    ],
)
def test_the_language_is_the_heaviest_that_we_speak(header: str | None, language: str) -> None:
    assert Languages().choose(header) == language


def test_the_same_header_gets_the_same_answer_however_many_others_came() -> None:
    languages = Languages()

    for number in range(1000):
        languages.choose(f"x{number}")

    assert languages.choose("en") == "en"
    assert languages.choose("en") == "en"
