"""Indices and queries as Elasticsearch is told them, and its answers as it gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.search.check import bounds, text_fields
from pkg.search.fields import Field, Keyword, Stored, Text
from pkg.search.index import ID
from pkg.search.page import Snippet, joined
from pkg.search.query import And, Exists, Filter, Not, Or, Query, Range, Term, Terms
from pkg.search.words import phrases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.search.index import Index

_BEGIN: Final = "\ue000"
_END: Final = "\ue001"
"""Around found words: for private use, so that no text has a reason to hold them."""

_SHOWN: Final = 100_000
"""Characters of a text in which found words are shown; a longer one would be an error."""


def mapping(fields: Mapping[str, Field]) -> dict[str, Any]:
    """The properties of an index with these fields. Needs no plugin and no module but the core."""
    return {ID: {"type": "keyword"}, **{name: _property(each) for name, each in fields.items()}}


def _property(field: Field) -> dict[str, Any]:
    if isinstance(field, Stored):
        return {"type": "object", "enabled": False}
    if isinstance(field, Text):
        return {"type": "text", "analyzer": field.analyzer}
    found: dict[str, Any] = {"type": field.kind}
    if isinstance(field, Keyword):
        found["ignore_above"] = field.longest
    if field.kind in ("long", "double"):
        found["coerce"] = False
    if not field.searchable:
        found["index"] = False
    if not field.sortable:
        found["doc_values"] = False
    return found


def body(index: Index[Any], query: Query, last: list[Any] | None) -> dict[str, Any] | None:
    """The arguments of a search, for one hit more than the page has; None if nothing can be found.

    Args:
        index: searched.
        query: that was checked.
        last: what its cursor says.
    """
    must: list[dict[str, Any]] = []
    if query.text.strip():
        names = list(text_fields(index, query))
        parts = [part for part in query.text.split() if phrases(part)]
        if not parts:
            return None
        must = [
            {"multi_match": {"query": part, "fields": names, "type": "phrase"}} for part in parts
        ]
    where = [] if query.where is None else [_filter(index, query.where)]
    found: dict[str, Any] = {
        "query": {"bool": {"must": must, "filter": where}},
        "sort": [*_sort(query), {ID: "asc"}],
        "size": query.limit + 1,
        "track_total_hits": query.count_up_to or False,
        "allow_partial_search_results": False,
    }
    if last is not None:
        found["search_after"] = last
    if query.highlight is not None and must:
        shown = {
            "number_of_fragments": query.highlight.snippets,
            "fragment_size": query.highlight.size,
        }
        found["highlight"] = {
            "type": "unified",
            "max_analyzed_offset": _SHOWN,
            "pre_tags": [_BEGIN],
            "post_tags": [_END],
            "fields": dict.fromkeys(query.highlight.fields, shown),
        }
    return found


def snippet(text: str) -> Snippet:
    """A part of a text, read as Elasticsearch has marked it."""
    plain: list[str] = []
    marks: list[tuple[int, int]] = []
    at = 0
    for number, piece in enumerate(text.split(_BEGIN)):
        found, _, rest = piece.partition(_END) if number else ("", "", piece)
        if found:
            marks.append((at, at + len(found)))
        plain += (found, rest)
        at += len(found) + len(rest)
    return Snippet("".join(plain), joined(marks))


def _sort(query: Query) -> list[dict[str, Any]]:
    if query.sort:
        return [
            {each.field: {"order": "desc" if each.descending else "asc", "missing": "_last"}}
            for each in query.sort
        ]
    return [{"_score": "desc"}] if query.text.strip() else []


def _filter(index: Index[Any], part: Filter) -> dict[str, Any]:
    match part:
        case And(parts):
            return {"bool": {"filter": [_filter(index, each) for each in parts]}}
        case Or(parts):
            if not parts:
                return {"match_none": {}}
            inner = [_filter(index, each) for each in parts]
            return {"bool": {"should": inner, "minimum_should_match": 1}}
        case Not(inner_part):
            return {"bool": {"must_not": [_filter(index, inner_part)]}}
        case Exists(name):
            return {"exists": {"field": name}}
        case Term(name, value):
            return {"term": {name: {"value": index.fields[name].keep(name, value)}}}
        case Terms(name, values):
            return {"terms": {name: [index.fields[name].keep(name, each) for each in values]}}
        case Range(field=name):
            keep = index.fields[name].keep
            return {"range": {name: {key: keep(name, each) for key, each in bounds(part).items()}}}
