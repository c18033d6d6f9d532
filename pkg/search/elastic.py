"""`Search` on Elasticsearch 9."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, TypeVar

from elasticsearch import NotFoundError

from pkg.clock import Clock, Pause, SystemClock, pause
from pkg.search import cursor, elastic_bulk, elastic_query
from pkg.search.check import check
from pkg.search.elastic_client import asking, open_client
from pkg.search.elastic_migration import Migration
from pkg.search.errors import SearchError, SearchUnavailableError
from pkg.search.index import check_id
from pkg.search.page import Hit, Page, Total
from pkg.tokens import SystemTokens, Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.search.elastic_settings import ElasticSettings
    from pkg.search.index import Index
    from pkg.search.query import Query
    from pkg.search.search import Change, Item, Result

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_ADAPTER: Final = "elastic"


class ElasticSearch:
    """A `Search` and `BulkTarget` as a component. Belongs to the event loop that first uses it."""

    def __init__(
        self,
        settings: ElasticSettings,
        *,
        name: str = "search",
        clock: Clock | None = None,
        pause: Pause = pause,
        tokens: Tokens | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Connect to nothing yet.

        Args:
            settings: where the cluster is.
            name: of the component.
            clock: measures how long others hold the lock of a migration.
            pause: waits for them.
            tokens: tells migrations apart.
            logger: told that the cluster is away at the start.
        """
        self.name = name
        self._settings = settings
        self._log = logger
        self._client = open_client(settings)
        self._migration = Migration(
            self._client,
            settings,
            clock=clock or SystemClock(),
            pause=pause,
            tokens=tokens or SystemTokens(),
        )

    async def __aenter__(self) -> ElasticSearch:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Look whether the cluster answers.

        Raises:
            SearchUnavailableError: it does not, and is required. Otherwise that is only logged.
        """
        try:
            await self.ping()
        except SearchUnavailableError as error:
            if self._settings.required:
                await self.stop()
                raise
            self._log.warning("the search is not there yet: %s", error)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def check(self) -> None:
        """Return if the cluster answers, or is not required to.

        Raises:
            SearchUnavailableError: it does not answer.
        """
        if self._settings.required:
            await self.ping()

    async def ping(self) -> None:
        """Ask the cluster whether it is there.

        Raises:
            SearchUnavailableError: it is not.
        """
        try:
            async with asking("", self._settings.timeout):
                await self._client.cluster.health(filter_path="status")
        except SearchUnavailableError:
            raise
        except SearchError as error:
            raise SearchUnavailableError(str(error)) from error

    async def ensure(self, index: Index[Any]) -> Change:
        """Bring the index to what the code asks for."""
        return await self._migration.ensure(index)

    async def put(
        self,
        index: Index[T],
        id: str,  # noqa: A002 - as the port has it
        document: T,
        *,
        visible: bool = False,
    ) -> None:
        """Keep a document."""
        source: Any = index.encode(id, document)  # the client sends bytes as they are
        async with asking(index.name, self._settings.timeout):
            await self._client.index(
                index=index.name,
                id=id,
                document=source,
                require_alias=True,
                refresh="wait_for" if visible else False,
            )

    async def get(self, index: Index[T], id: str) -> T | None:  # noqa: A002 - as the port has it
        """The document with this id."""
        check_id(id)
        async with asking(index.name, self._settings.timeout):
            try:
                answer = await self._client.get(index=index.name, id=id)
            except NotFoundError as error:
                if "found" not in error.body:
                    raise  # it is the index that was not found
                return None
        return index.decode(id, answer["_source"])

    async def delete(
        self,
        index: Index[Any],
        id: str,  # noqa: A002 - as the port has it
        *,
        visible: bool = False,
    ) -> bool:
        """Forget a document."""
        check_id(id)
        async with asking(index.name, self._settings.timeout):
            try:
                await self._client.delete(
                    index=index.name, id=id, refresh="wait_for" if visible else False
                )
            except NotFoundError as error:
                if "result" not in error.body:
                    raise  # it is the index that was not found
                return False
        return True

    async def write(self, items: Sequence[Item]) -> list[Result]:
        """Write items."""
        return await elastic_bulk.write(self._client, items, self._settings.bulk_timeout)

    async def search(self, index: Index[T], query: Query) -> Page[T]:
        """One page of what the query finds."""
        check(index, query)
        body = elastic_query.body(index, query, cursor.read(_ADAPTER, index, query))
        if body is None:
            return Page((), Total(0, exact=True) if query.count_up_to else None, None)
        async with asking(index.name, self._settings.timeout):
            answer = await self._client.search(index=index.name, **body)
        found = answer["hits"]
        rows = found["hits"]
        hits = tuple(_hit(index, row) for row in rows[: query.limit])
        total = None
        if "total" in found:
            total = Total(found["total"]["value"], exact=found["total"]["relation"] == "eq")
        following = None
        if len(rows) > query.limit:
            following = cursor.write(_ADAPTER, index, query, rows[query.limit - 1]["sort"])
        return Page(hits, total, following)


def _hit(index: Index[T], row: dict[str, Any]) -> Hit[T]:
    shown = {
        name: tuple(elastic_query.snippet(each) for each in parts)
        for name, parts in row.get("highlight", {}).items()
    }
    return Hit(row["_id"], index.decode(row["_id"], row["_source"]), row.get("_score"), shown)
