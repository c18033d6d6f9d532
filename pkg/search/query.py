"""What can be asked of an index.

Query(
    text="登录失败 curl",
    fields=("message", "agent"),
    where=And(Term("uid", "u1"), Range("date_time", gte=yesterday)),
    sort=(Sort("date_time", descending=True),),
    limit=50,
)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_PAGE = 1000
"""Hits."""
LARGEST_COUNT = 100_000
"""How far a total may be asked to count."""


@dataclass(frozen=True, slots=True)
class Term:
    """Documents whose field has this value."""

    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Terms:
    """Documents whose field has one of these values. Of none, nothing is found."""

    field: str
    values: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    gt: Any = None
    gte: Any = None
    lt: Any = None
    lte: Any = None


@dataclass(frozen=True, slots=True)
class Range(_Bounds):
    """Documents whose field has a value within all of these bounds."""

    field: str


@dataclass(frozen=True, slots=True)
class Exists:
    """Documents whose field has a value."""

    field: str


@dataclass(frozen=True, slots=True, init=False)
class And:
    """Documents that all of these find."""

    parts: tuple[Filter, ...]

    def __init__(self, *parts: Filter) -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, slots=True, init=False)
class Or:
    """Documents that at least one of these finds."""

    parts: tuple[Filter, ...]

    def __init__(self, *parts: Filter) -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, slots=True)
class Not:
    """Documents that this does not find; those without a value are among them."""

    part: Filter


Filter: TypeAlias = Term | Terms | Range | Exists | And | Or | Not


@dataclass(frozen=True, slots=True)
class Sort:
    """An order by a field. Documents without a value come last, whichever way it goes."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Highlight:
    """Which fields to show the found words of."""

    fields: tuple[str, ...]
    snippets: int = 3
    """At most, of each field."""
    size: int = 150
    """Characters of a snippet, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One page of what an index finds."""

    text: str = ""
    """Words. What stands between spaces must be found in one of `fields`, with its words in this
    order and next to each other: `log-in` is found in `log in`, `登录` not in `录登`. Empty finds
    everything; a text without any word finds nothing."""
    fields: tuple[str, ...] = ()
    """Text fields in which the text is sought; empty: all of them."""
    where: Filter | None = None
    """What else must hold."""
    sort: tuple[Sort, ...] = ()
    """Without one, what fits the text best comes first. Documents that are equal in this are in the
    order of their ids."""
    limit: int = 20
    """Hits of a page, from 1 to 1000."""
    cursor: str = ""
    """`Page.next` of the page before. Of the same query: only `limit` may differ."""
    highlight: Highlight | None = None
    count_up_to: int = 10_000
    """How far the total is counted; 0: not at all."""
