"""What a search finds."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text, and where in it the found words are."""

    text: str
    marks: tuple[tuple[int, int], ...]
    """Begin and end of each, in order; none touches another."""

    def html(self, tag: str = "em") -> str:
        """The part as HTML, the found words within a tag."""
        parts, at = [], 0
        for begin, end in self.marks:
            parts.append(html.escape(self.text[at:begin]))
            parts.append(f"<{tag}>{html.escape(self.text[begin:end])}</{tag}>")
            at = end
        return "".join([*parts, html.escape(self.text[at:])])


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """A document that was found."""

    id: str
    document: T
    score: float | None = None
    """How well it fits the text, if hits are in that order. To be compared within a page only."""
    highlights: Mapping[str, tuple[Snippet, ...]] = field(default_factory=lambda: _NOTHING)
    """By field; fields in which nothing was found are left out."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many documents were found on all pages."""

    value: int
    exact: bool
    """False: there are more, and counting ended here."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Hits, and how to go on."""

    hits: tuple[Hit[T], ...]
    total: Total | None
    """None if it was not asked for."""
    next: str | None
    """The cursor of the next page; None on the last."""


_NOTHING: Mapping[str, tuple[Snippet, ...]] = MappingProxyType({})


def joined(marks: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Marks in order, those that touch or overlap made one."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(marks):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return tuple(found)
