"""Queries in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pkg.search.check import bounds, compared, text_fields
from pkg.search.query import And, Exists, Filter, Not, Or, Query, Range, Term, Terms
from pkg.search.sqlite_tables import Table, column, token
from pkg.search.words import phrases

if TYPE_CHECKING:
    from pkg.search.index import Index

_OPERATORS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class Sql:
    """A part of a statement and its parameters."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """What hits are sorted by."""

    expression: str
    descending: bool = False


def keys(query: Query) -> list[Key]:
    """What hits are sorted by before their ids."""
    if query.sort:
        return [Key("d." + column(each.field), each.descending) for each in query.sort]
    return [Key("t.score", descending=True)] if query.text.strip() else []


def found(index: Index[Any], query: Query, table: Table) -> Sql | None:
    """FROM and WHERE of what the query finds; None if it cannot find anything."""
    source, values = f"FROM {table.documents} d", []
    if query.text.strip():
        wanted = phrases(query.text)
        if not wanted:
            return None
        names = " ".join(column(name) for name in text_fields(index, query))
        said = (" ".join(map(token, phrase)).replace('"', '""') for phrase in wanted)
        match = " AND ".join(f'({{{names}}} : "{each}")' for each in said)
        # bm25 is not to be asked for outside of a query of its own table.
        source = (
            f"FROM (SELECT rowid, -bm25({table.text}) AS score FROM {table.text} "  # noqa: S608 - names of our own
            f"WHERE {table.text} MATCH ?) t JOIN {table.documents} d ON d.n = t.rowid"
        )
        values.append(match)
    where = Sql("1") if query.where is None else _filter(index, query.where)
    return Sql(f"{source} WHERE {where.text}", (*values, *where.values))


def after(sorted_by: list[Key], last: list[Any]) -> Sql:
    """That a hit comes after the one with these values: nulls are last, then ids decide."""
    ways, equal, values = [], "1", []
    passed: list[Any] = []
    for key, value in zip(sorted_by, last, strict=False):
        if value is not None:
            sign = "<" if key.descending else ">"
            ways.append(f"({equal} AND ({key.expression} {sign} ? OR {key.expression} IS NULL))")
            values += [*passed, value]
        equal += f" AND {key.expression} IS ?"
        passed.append(value)
    ways.append(f"({equal} AND d.id > ?)")
    return Sql(f"({' OR '.join(ways)})", (*values, *passed, last[-1]))


def order(sorted_by: list[Key]) -> str:
    """ORDER BY."""
    parts = [
        f"{key.expression} IS NULL, {key.expression} {'DESC' if key.descending else 'ASC'}"
        for key in sorted_by
    ]
    return f"ORDER BY {', '.join([*parts, 'd.id'])}"


def _filter(index: Index[Any], part: Filter) -> Sql:
    """A condition that is never NULL, so that its opposite is the rest."""
    match part:
        case And(parts):
            return _joined(index, " AND ", parts, "1")
        case Or(parts):
            return _joined(index, " OR ", parts, "0")
        case Not(inner):
            sql = _filter(index, inner)
            return Sql(f"NOT {sql.text}", sql.values)
        case Exists(name):
            return Sql(f"(d.{column(name)} IS NOT NULL)")
        case Term(name, value):
            return _terms(index, name, (value,))
        case Terms(name, values):
            return _terms(index, name, tuple(values))
        case Range(field=name):
            given = {which: compared(index, name, each) for which, each in bounds(part).items()}
            tests = [f"d.{column(name)} {_OPERATORS[which]} ?" for which in given]
            return Sql(f"IFNULL({' AND '.join(tests)}, 0)", tuple(given.values()))


def _terms(index: Index[Any], name: str, values: tuple[Any, ...]) -> Sql:
    wanted = tuple(compared(index, name, each) for each in values)
    marks = ", ".join("?" * len(wanted))
    return Sql(f"IFNULL(d.{column(name)} IN ({marks}), 0)", wanted)


def _joined(index: Index[Any], by: str, parts: tuple[Filter, ...], empty: str) -> Sql:
    found = [_filter(index, part) for part in parts]
    text = by.join(each.text for each in found) or empty
    return Sql(f"({text})", tuple(value for each in found for value in each.values))
