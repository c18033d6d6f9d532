"""Copies the documents of one index into another, in pages, through this process."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pkg.search.elastic_bulk import write
from pkg.search.elastic_client import asking
from pkg.search.errors import MigrationError, RefusedError, SearchUnavailableError
from pkg.search.search import Item, Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elasticsearch import AsyncElasticsearch

    from pkg.clock import Pause
    from pkg.search.index import Index

_PAGE: Final = 500
"""Documents."""
_KEEP: Final = "5m"
"""How long the server remembers the copy between two pages."""
_TRIES: Final = 10
_PAUSE: Final = timedelta(seconds=1)


async def copy(
    client: AsyncElasticsearch,
    index: Index[Any],
    *,
    source: str,
    target: str,
    within: timedelta,
    renew: Callable[[], Awaitable[None]],
    pause: Pause,
) -> None:
    """Copy all documents, and see that they have arrived.

    Args:
        client: of the cluster.
        index: what the documents are to fit.
        source: an index that nobody writes to.
        target: an alias that nobody else writes to.
        within: so long, each step.
        renew: called before each page; what it raises ends the copy.
        pause: waits before a page is tried again.

    Raises:
        MigrationError: a document does not fit.
        SearchUnavailableError: the cluster failed.
    """
    async with asking(source, within):
        opened = await client.open_point_in_time(index=source, keep_alive=_KEEP)
    moment, last = opened["id"], None
    try:
        while True:
            await renew()
            async with asking(source, within):
                answer = await client.search(
                    pit={"id": moment, "keep_alive": _KEEP},
                    size=_PAGE,
                    sort=[{"_shard_doc": "asc"}],
                    search_after=last,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                )
            hits = answer["hits"]["hits"]
            if not hits:
                break
            moment, last = answer["pit_id"], hits[-1]["sort"]
            await _write(client, [_moved(index, target, hit) for hit in hits], within, pause)
    finally:
        async with asking(source, within):
            await client.close_point_in_time(id=moment)
    async with asking(source, within):
        await client.indices.refresh(index=target)
        had = (await client.count(index=source))["count"]
        has = (await client.count(index=target))["count"]
    if had != has:
        raise SearchUnavailableError(f"{has} of {had} documents have been copied")


def _moved(index: Index[Any], target: str, hit: Any) -> Item:
    try:
        return Item(target, hit["_id"], index.moved(hit["_source"]))
    except RefusedError as error:
        raise _misfit(index, hit["_id"], str(error)) from error


async def _write(
    client: AsyncElasticsearch, items: list[Item], within: timedelta, pause: Pause
) -> None:
    for _ in range(_TRIES):
        results = await write(client, items, within)
        for item, result in zip(items, results, strict=True):
            if result.outcome is Outcome.REFUSED:
                raise MigrationError(f"the document {item.id!r} was refused: {result.reason}")
        items = [
            item
            for item, result in zip(items, results, strict=True)
            if result.outcome is not Outcome.DONE
        ]
        if not items:
            return
        await pause(_PAUSE)
    raise SearchUnavailableError(f"{len(items)} documents could not be written")


def _misfit(index: Index[Any], id_: str, why: str) -> MigrationError:
    return MigrationError(
        f"{index.name}: the document {id_!r} does not fit version {index.version}: {why}"
    )
