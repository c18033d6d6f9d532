"""The parts of a text that are worth showing: for what has no highlighter of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.search.page import Snippet, joined
from pkg.search.words import Word, occurrences, words

if TYPE_CHECKING:
    from collections.abc import Sequence


def snippets(
    text: str, phrases: Sequence[tuple[str, ...]], *, most: int, size: int
) -> tuple[Snippet, ...]:
    """Parts in which the phrases stand, in the order of the text.

    Args:
        text: searched.
        phrases: sought.
        most: how many parts.
        size: characters of a part, about: words are not cut.
    """
    found = list(words(text))
    marks = joined(occurrences(found, phrases))
    parts: list[Snippet] = []
    at = 0
    while at < len(marks) and len(parts) < most:
        begin, end = _window(text, found, marks[at], size)
        inside = [mark for mark in marks[at:] if mark[1] <= end]
        parts.append(
            Snippet(text[begin:end], tuple((low - begin, high - begin) for low, high in inside))
        )
        at += len(inside)
    return tuple(parts)


def _window(text: str, found: list[Word], mark: tuple[int, int], size: int) -> tuple[int, int]:
    """Begin and end of a part of about this size that has the mark, a little after its begin."""
    if len(text) <= size:
        return 0, len(text)
    earliest = max(0, min(mark[0] - size // 4, len(text) - size))
    begin = min((each.begin for each in found if each.begin >= earliest), default=0)
    begin = 0 if earliest == 0 else min(begin, mark[0])
    latest = max(begin + size, mark[1])
    if latest >= len(text):
        return begin, len(text)
    end = max((each.end for each in found if each.end <= latest), default=latest)
    return begin, max(end, mark[1])
