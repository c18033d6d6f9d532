"""Refuses bad queries before anything is asked of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.search.errors import RefusedError
from pkg.search.fields import Boolean, Field, Text
from pkg.search.query import (
    LARGEST_COUNT,
    LARGEST_PAGE,
    And,
    Exists,
    Filter,
    Not,
    Or,
    Query,
    Range,
    Sort,
    Term,
    Terms,
)

if TYPE_CHECKING:
    from pkg.search.index import Index

_LONGEST_TEXT: Final = 1000
"""Characters."""
_MOST_PARTS: Final = 32
"""Of a text, between spaces."""
_MOST_SORTS: Final = 8
_MOST_FILTERS: Final = 200
_DEEPEST_FILTER: Final = 20
_MOST_TERMS: Final = 1000
_LARGEST_SNIPPET: Final = 10_000
_MOST_SNIPPETS: Final = 50


def check(index: Index[Any], query: Query) -> None:
    """Let a good query pass.

    Raises:
        RefusedError: it names a field that there is not, or that is not fit for it, or a value that
            does not fit its field, or it asks for too much.
    """
    if not 1 <= query.limit <= LARGEST_PAGE:
        raise RefusedError("limit", f"a page has from 1 to {LARGEST_PAGE} hits")
    if not 0 <= query.count_up_to <= LARGEST_COUNT:
        raise RefusedError("count_up_to", f"counting goes from 0 to {LARGEST_COUNT}")
    if len(query.text) > _LONGEST_TEXT or len(query.text.split()) > _MOST_PARTS:
        raise RefusedError(
            "text", f"a text has at most {_LONGEST_TEXT} characters and {_MOST_PARTS} parts"
        )
    text_fields(index, query)
    if len(query.sort) > _MOST_SORTS:
        raise RefusedError("sort", f"at most {_MOST_SORTS} fields")
    for sort in query.sort:
        _sortable(index, sort)
    if query.highlight is not None:
        for name in query.highlight.fields:
            _text(index, name)
        if not 1 <= query.highlight.snippets <= _MOST_SNIPPETS:
            raise RefusedError("highlight", f"from 1 to {_MOST_SNIPPETS} snippets")
        if not 1 <= query.highlight.size <= _LARGEST_SNIPPET:
            raise RefusedError(
                "highlight", f"a snippet has from 1 to {_LARGEST_SNIPPET} characters"
            )
    if query.where is not None and _count(index, query.where, 1) > _MOST_FILTERS:
        raise RefusedError("where", f"at most {_MOST_FILTERS} filters")


def text_fields(index: Index[Any], query: Query) -> tuple[str, ...]:
    """The fields in which the text of a query is sought; none if it has no text.

    Raises:
        RefusedError: one is no text field, or there is none.
    """
    for name in query.fields:
        _text(index, name)
    if not query.text.strip():
        return ()
    found = query.fields or tuple(
        name for name, field in index.fields.items() if isinstance(field, Text)
    )
    if not found:
        raise RefusedError("text", f"{index.name} has no text field")
    return tuple(dict.fromkeys(found))


def compared(index: Index[Any], name: str, value: Any) -> Any:
    """The compared form of a value that a query names.

    Raises:
        RefusedError: it does not fit the field.
    """
    field = index.fields[name]
    return field.compared(name, field.keep(name, value))


def bounds(part: Range) -> dict[str, Any]:
    """The bounds that were given."""
    found = {"gt": part.gt, "gte": part.gte, "lt": part.lt, "lte": part.lte}
    return {name: value for name, value in found.items() if value is not None}


def _count(index: Index[Any], part: Filter, depth: int) -> int:
    """Check a filter and those in it; how many there are."""
    if depth > _DEEPEST_FILTER:
        raise RefusedError("where", f"filters are at most {_DEEPEST_FILTER} deep")
    match part:
        case And(parts) | Or(parts):
            return 1 + sum(_count(index, each, depth + 1) for each in parts)
        case Not(inner):
            return 1 + _count(index, inner, depth + 1)
        case Exists(name):
            if not (isinstance(_known(index, name), Text) or index.fields[name].searchable):
                raise RefusedError(name, "not searchable")
        case Term(name, value):
            _searchable(index, name)
            compared(index, name, value)
        case Terms(name, values):
            _searchable(index, name)
            if len(values) > _MOST_TERMS:
                raise RefusedError(name, f"at most {_MOST_TERMS} values")
            for value in values:
                compared(index, name, value)
        case Range(field=name):
            if isinstance(_searchable(index, name), Boolean):
                raise RefusedError(name, "a boolean has no range")
            if not bounds(part):
                raise RefusedError(name, "a range needs a bound")
            for value in bounds(part).values():
                compared(index, name, value)
        case _:
            raise RefusedError("where", f"{type(part).__name__} is no filter")
    return 1


def _known(index: Index[Any], name: str) -> Field:
    field = index.fields.get(name)
    if field is None:
        raise RefusedError(name, f"{index.name} has no such field")
    return field


def _searchable(index: Index[Any], name: str) -> Field:
    field = _known(index, name)
    if isinstance(field, Text):
        raise RefusedError(name, "a text is found by its words, not by a filter")
    if not field.searchable:
        raise RefusedError(name, "not searchable")
    return field


def _sortable(index: Index[Any], sort: Sort) -> None:
    if not _known(index, sort.field).sortable:
        raise RefusedError(sort.field, "not sortable")


def _text(index: Index[Any], name: str) -> None:
    if not isinstance(_known(index, name), Text):
        raise RefusedError(name, "no text field")
