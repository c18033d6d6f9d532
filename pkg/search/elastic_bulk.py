"""Many documents in one request, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from pkg.search.elastic_client import asking, reason
from pkg.search.errors import MissingIndexError, RefusedError
from pkg.search.search import Item, Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from elasticsearch import AsyncElasticsearch

_DONE: Final = Result(Outcome.DONE)
_BLOCKED: Final = "cluster_block_exception"
"""The disk is full, or the index is being migrated."""


async def write(
    client: AsyncElasticsearch, items: Sequence[Item], within: timedelta
) -> list[Result]:
    """Do what `BulkTarget.write` says. Indices must be aliases: none is made by accident."""
    if not items:
        return []
    operations: list[Any] = []
    for item in items:
        operations += (orjson.dumps({"index": {"_index": item.index, "_id": item.id}}), item.source)
    try:
        async with asking(items[0].index, within):
            answer = await client.bulk(
                operations=operations,
                require_alias=True,
                filter_path=["errors", "items.*.status", "items.*.error"],
            )
    except RefusedError as error:  # the request as a whole: too large, or one is not even JSON
        if len(items) == 1:
            return [Result(Outcome.REFUSED, error.why)]
        half = len(items) // 2
        return [
            *await write(client, items[:half], within),
            *await write(client, items[half:], within),
        ]
    if not answer["errors"]:
        return [_DONE] * len(items)
    return [
        _result(item, next(iter(each.values())))
        for item, each in zip(items, answer["items"], strict=True)
    ]


def _result(item: Item, answer: dict[str, Any]) -> Result:
    status = answer["status"]
    if status < 300:
        return _DONE
    kind, why = reason(answer)
    if kind == "index_not_found_exception":
        raise MissingIndexError(item.index)
    if status in (401, 403, 429, 503) or kind == _BLOCKED:
        return Result(Outcome.BUSY, why)
    return Result(Outcome.FAILED if status >= 500 else Outcome.REFUSED, why)
