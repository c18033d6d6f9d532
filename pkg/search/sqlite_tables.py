"""How an index lies in SQLite. All of it blocks, within a transaction of the caller.

search_index                    every index: its version, fields, and the number of its tables
<index>_<number>                a document per row: id, JSON, a column for each value
<index>_<number>_text           FTS5: the words of each text field, told by `words`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import orjson

from pkg.search import evolution, fields
from pkg.search.errors import MigrationError, MissingIndexError, RefusedError
from pkg.search.fields import Field, Stored, Text
from pkg.search.index import Index, columns
from pkg.search.search import Change
from pkg.search.words import MARKS, words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

_CATALOGUE: Final = """
CREATE TABLE IF NOT EXISTS search_index (
  name TEXT PRIMARY KEY, version INTEGER NOT NULL, number INTEGER NOT NULL, fields TEXT NOT NULL
)
"""
_PAGE: Final = 500
"""Documents that are copied at a time."""


@dataclass(frozen=True)
class Table:
    """The tables of an index."""

    name: str
    version: int
    number: int
    definition: dict[str, dict[str, Any]]

    @property
    def documents(self) -> str:
        """The table of the documents, quoted."""
        return f'"{self.name}_{self.number}"'

    @property
    def text(self) -> str:
        """The table of the words, quoted."""
        return f'"{self.name}_{self.number}_text"'

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields by name."""
        return {name: fields.read(each) for name, each in self.definition.items()}


def column(name: str) -> str:
    """The column of a field, quoted."""
    return f'"f_{name}"'


def create_catalogue(connection: sqlite3.Connection) -> None:
    """Make what a file needs."""
    connection.execute(_CATALOGUE)


def find(connection: sqlite3.Connection, name: str) -> Table | None:
    """The tables of an index, if there are."""
    row = connection.execute(
        "SELECT version, number, fields FROM search_index WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else Table(name, row[0], row[1], orjson.loads(row[2]))


def get(connection: sqlite3.Connection, name: str) -> Table:
    """The tables of an index.

    Raises:
        MissingIndexError: there are none.
    """
    table = find(connection, name)
    if table is None:
        raise MissingIndexError(name)
    return table


def ensure(connection: sqlite3.Connection, index: Index[Any]) -> Change:
    """Bring the tables to what the code asks for.

    Raises:
        MigrationError: that cannot be.
    """
    old = find(connection, index.name)
    if old is None:
        _create(connection, Table(index.name, index.version, 1, index.definition))
        return Change.CREATED
    change = evolution.change(index, old.version, old.definition)
    if change in (Change.NONE, Change.NEWER):
        return change
    definition: Mapping[str, Any] = index.definition
    if change is Change.EXTENDED:
        definition = evolution.extended(index, old.definition)
    new = Table(index.name, index.version, old.number + 1, dict(definition))
    _create(connection, new)
    for id_, source in _documents(connection, old):
        try:
            moved = source if change is Change.EXTENDED else index.moved(orjson.loads(source))
            store(connection, new, id_, moved)
        except RefusedError as error:
            raise MigrationError(
                f"{index.name}: the document {id_!r} does not fit version {index.version}: {error}"
            ) from error
    connection.execute(f"DROP TABLE {old.documents}")
    connection.execute(f"DROP TABLE IF EXISTS {old.text}")
    return change


def store(connection: sqlite3.Connection, table: Table, id_: str, source: bytes) -> None:
    """Keep a document, in place of the one with its id.

    Raises:
        RefusedError: a value does not fit its field.
    """
    found: dict[str, Any] = orjson.loads(source)
    kinds = table.fields
    values = columns(kinds, found)
    texts = {name: value for name, value in values.items() if isinstance(kinds[name], Text)}
    for name, text in texts.items():
        values[name] = None if text is None else 1  # whether there is one
    names = ["id", "source", *map(column, values)]
    updates = ", ".join(f"{each} = excluded.{each}" for each in names[1:])
    (number,) = connection.execute(
        f"INSERT INTO {table.documents} ({', '.join(names)}) VALUES ({_marks(names)}) "  # noqa: S608 - names of our own
        f"ON CONFLICT (id) DO UPDATE SET {updates} RETURNING n",
        (id_, source, *values.values()),
    ).fetchone()
    if texts:
        connection.execute(f"DELETE FROM {table.text} WHERE rowid = ?", (number,))  # noqa: S608 - as above
        connection.execute(
            f"INSERT INTO {table.text} (rowid, {', '.join(map(column, texts))}) "  # noqa: S608 - as above
            f"VALUES (?, {_marks(texts)})",
            (number, *(token_text(text or "") for text in texts.values())),
        )


def remove(connection: sqlite3.Connection, table: Table, id_: str) -> bool:
    """Forget a document; False if there was none."""
    row = connection.execute(
        f"DELETE FROM {table.documents} WHERE id = ? RETURNING n",  # noqa: S608 - as above
        (id_,),
    ).fetchone()
    if row is not None and any(isinstance(each, Text) for each in table.fields.values()):
        connection.execute(f"DELETE FROM {table.text} WHERE rowid = ?", row)  # noqa: S608 - as above
    return row is not None


def token_text(text: str) -> str:
    """A text as FTS5 is to read it: its words, with spaces between them."""
    return " ".join(token(each.word) for each in words(text))


def token(word: str) -> str:
    """A word as FTS5 is to read it; the quote would end its setting."""
    return word.replace("'", "’")


def _create(connection: sqlite3.Connection, table: Table) -> None:
    kinds = table.fields
    compared = [column(name) for name, each in kinds.items() if not isinstance(each, Stored)]
    texts = [column(name) for name, each in kinds.items() if isinstance(each, Text)]
    connection.execute(
        f"CREATE TABLE {table.documents} "
        f"({', '.join(['n INTEGER PRIMARY KEY', 'id TEXT NOT NULL UNIQUE', 'source', *compared])})"
    )
    if texts:
        marks = MARKS.replace("'", "")
        connection.execute(
            f"CREATE VIRTUAL TABLE {table.text} USING fts5("
            f"{', '.join(texts)}, tokenize = \"ascii tokenchars '{marks}'\")"
        )
    connection.execute(
        "INSERT OR REPLACE INTO search_index VALUES (?, ?, ?, ?)",
        (table.name, table.version, table.number, orjson.dumps(table.definition).decode()),
    )


def _documents(connection: sqlite3.Connection, table: Table) -> Iterator[tuple[str, bytes]]:
    last = 0
    while True:
        rows = connection.execute(
            f"SELECT n, id, source FROM {table.documents} WHERE n > ? ORDER BY n LIMIT ?",  # noqa: S608 - as above
            (last, _PAGE),
        ).fetchall()
        if not rows:
            return
        yield from ((row[1], row[2]) for row in rows)
        last = rows[-1][0]


def _marks(of: Any) -> str:
    return ", ".join("?" * len(of))
