"""`Search` on SQLite's FTS5: for a process without a server, on one host.

What differs from Elasticsearch: scores are other numbers; a write is found at once; words are told
by `pkg.search.words` whatever the analyzer; snippets are cut between words, not sentences; and
changing an index copies it within one transaction.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from pkg.search import cursor, sqlite_query, sqlite_tables
from pkg.search.check import check, text_fields
from pkg.search.errors import RefusedError
from pkg.search.index import check_id
from pkg.search.page import Hit, Page, Snippet, Total
from pkg.search.search import Item, Outcome, Result
from pkg.search.snippets import snippets
from pkg.search.sqlite_file import SqliteFile
from pkg.search.words import phrases

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pkg.search.index import Index
    from pkg.search.query import Query
    from pkg.search.search import Change

T = TypeVar("T")

_ADAPTER: Final = "sqlite"
_DONE: Final = Result(Outcome.DONE)


class SqliteSearch:
    """A `Search` and `BulkTarget` as a component. May be used by any event loop."""

    def __init__(
        self, path: Path, *, timeout: timedelta = timedelta(seconds=5), name: str = "search"
    ) -> None:
        """Touch nothing yet.

        Args:
            path: of the file, which other processes may use too.
            timeout: for one call, and for what it waits for other processes. `ensure` takes longer
                where it copies.
            name: of the component.
        """
        self.name = name
        self._file = SqliteFile(path, timeout=timeout)

    async def __aenter__(self) -> SqliteSearch:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open the file.

        Raises:
            SearchUnavailableError: it cannot be opened.
        """
        await self._file.open()
        try:
            await self._file.write(sqlite_tables.create_catalogue)
        except BaseException:
            await self._file.close()
            raise

    async def stop(self) -> None:
        """Close the file."""
        await self._file.close()

    async def check(self) -> None:
        """Return if the file can be read.

        Raises:
            SearchUnavailableError: it cannot.
        """
        await self._file.read(lambda connection: sqlite_tables.find(connection, ""))

    async def ensure(self, index: Index[Any]) -> Change:
        """Bring the index to what the code asks for."""
        return await self._file.write(
            lambda connection: sqlite_tables.ensure(connection, index), limited=False
        )

    async def put(
        self,
        index: Index[T],
        id: str,  # noqa: A002 - as the port has it
        document: T,
        *,
        visible: bool = False,
    ) -> None:
        """Keep a document."""
        source = index.encode(id, document)

        def work(connection: sqlite3.Connection) -> None:
            sqlite_tables.store(connection, sqlite_tables.get(connection, index.name), id, source)

        await self._file.write(work)

    async def get(self, index: Index[T], id: str) -> T | None:  # noqa: A002 - as the port has it
        """The document with this id."""
        check_id(id)

        def work(connection: sqlite3.Connection) -> bytes | None:
            table = sqlite_tables.get(connection, index.name)
            row = connection.execute(
                f"SELECT source FROM {table.documents} WHERE id = ?",  # noqa: S608 - a name of our own
                (id,),
            ).fetchone()
            return None if row is None else row[0]

        source = await self._file.read(work)
        return None if source is None else index.decode(id, orjson.loads(source))

    async def delete(
        self,
        index: Index[Any],
        id: str,  # noqa: A002 - as the port has it
        *,
        visible: bool = False,
    ) -> bool:
        """Forget a document."""
        check_id(id)
        return await self._file.write(
            lambda connection: sqlite_tables.remove(
                connection, sqlite_tables.get(connection, index.name), id
            )
        )

    async def write(self, items: Sequence[Item]) -> list[Result]:
        """Write items, all in one transaction but those that are refused."""

        def work(connection: sqlite3.Connection) -> list[Result]:
            names = {item.index for item in items}
            tables = {name: sqlite_tables.get(connection, name) for name in names}
            results = []
            for item in items:
                try:
                    sqlite_tables.store(connection, tables[item.index], item.id, item.source)
                    results.append(_DONE)
                except RefusedError as error:
                    results.append(Result(Outcome.REFUSED, str(error)))
            return results

        return await self._file.write(work)

    async def search(self, index: Index[T], query: Query) -> Page[T]:
        """One page of what the query finds."""
        check(index, query)
        last = cursor.read(_ADAPTER, index, query)
        rows, total = await self._file.read(
            lambda connection: _search(connection, index, query, last)
        )
        hits = tuple(_hit(index, query, row) for row in rows[: query.limit])
        following = None
        if len(rows) > query.limit:
            row = rows[query.limit - 1]
            following = cursor.write(_ADAPTER, index, query, [*row[2:], row[0]])
        return Page(hits, total, following)


def _search(
    connection: sqlite3.Connection, index: Index[Any], query: Query, last: list[Any] | None
) -> tuple[list[tuple[Any, ...]], Total | None]:
    """Rows of id, source and what they are sorted by, one more than the page has; and the total."""
    table = sqlite_tables.get(connection, index.name)
    for name in index.fields:
        if name not in table.definition:
            raise RefusedError(name, f"the index, of version {table.version}, has no such field")
    found = sqlite_query.found(index, query, table)
    if found is None:
        return [], Total(0, exact=True) if query.count_up_to else None
    keys = sqlite_query.keys(query)
    beyond = sqlite_query.Sql("1") if last is None else sqlite_query.after(keys, last)
    rows = connection.execute(
        f"SELECT {', '.join(['d.id', 'd.source', *(key.expression for key in keys)])} "
        f"{found.text} AND {beyond.text} {sqlite_query.order(keys)} LIMIT ?",
        (*found.values, *beyond.values, query.limit + 1),
    ).fetchall()
    if not query.count_up_to:
        return rows, None
    (count,) = connection.execute(
        f"SELECT COUNT(*) FROM (SELECT 1 {found.text} LIMIT ?)",  # noqa: S608 - as above
        (*found.values, query.count_up_to + 1),
    ).fetchone()
    return rows, Total(min(count, query.count_up_to), exact=count <= query.count_up_to)


def _hit(index: Index[T], query: Query, row: tuple[Any, ...]) -> Hit[T]:
    source = orjson.loads(row[1])
    score = row[2] if query.text.strip() and not query.sort else None
    return Hit(row[0], index.decode(row[0], source), score, _highlights(index, query, source))


def _highlights(
    index: Index[Any], query: Query, source: Mapping[str, Any]
) -> dict[str, tuple[Snippet, ...]]:
    wanted = query.highlight
    if wanted is None or not query.text.strip():
        return {}
    found = {
        name: snippets(source[name], phrases(query.text), most=wanted.snippets, size=wanted.size)
        for name in set(wanted.fields) & set(text_fields(index, query))
        if source.get(name)
    }
    return {name: each for name, each in found.items() if each}
