"""Where words begin and end, and which parts of a text show them."""

from __future__ import annotations

import pytest

from pkg.search.page import Snippet
from pkg.search.snippets import snippets
from pkg.search.words import occurrences, phrases, words
from tests.unit.pkg.search.texts import TEXTS


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_words_are_those_of_unicode(text: str, expected: list[str]) -> None:
    assert [each.word for each in words(text)] == expected


@pytest.mark.parametrize("text", TEXTS)
def test_a_word_says_where_it_stands(text: str) -> None:
    assert [text[each.begin : each.end].lower() for each in words(text)] == TEXTS[text]


def test_parts_of_a_query_stand_between_spaces() -> None:
    assert phrases("登录 log-in  -- x") == [("登", "录"), ("log", "in"), ("x",)]
    assert phrases(" -- ") == []


def test_a_phrase_is_found_wherever_it_stands() -> None:
    found = list(words("b a b, a-b"))

    assert occurrences(found, [("a", "b")]) == [(2, 5), (7, 10)]
    assert occurrences(found, [("b", "a", "b", "a", "b", "c")]) == []


def test_a_short_text_is_shown_as_a_whole() -> None:
    assert snippets("one two one", [("one",), ("two",)], most=3, size=50) == (
        Snippet("one two one", ((0, 3), (4, 7), (8, 11))),
    )


def test_a_text_without_the_words_shows_nothing() -> None:
    assert snippets("one two", [("three",)], most=3, size=50) == ()


def test_words_are_not_cut() -> None:
    text = "alpha beta gamma needle delta epsilon zeta"

    (snippet,) = snippets(text, [("needle",)], most=3, size=24)

    assert snippet == Snippet("gamma needle delta", ((6, 12),))


def test_what_is_longer_than_a_part_is_shown_as_a_whole() -> None:
    text = "before " + "x" * 50 + " after"

    (snippet,) = snippets(text, [("x" * 50,)], most=3, size=10)

    assert snippet.text[slice(*snippet.marks[0])] == "x" * 50


def test_a_snippet_as_html_is_escaped() -> None:
    assert Snippet("<a> & b", ((1, 2), (6, 7))).html() == "&lt;<em>a</em>&gt; &amp; <em>b</em>"
