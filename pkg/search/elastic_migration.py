"""How an index comes to be what the code asks for.

An alias `<name>` points to one index `<name>-v<version>`, which was made by a template of the same
name and says in its `_meta` which fields it has. To go to a higher version:

1. one process takes the lock, and makes the new index,
2. the old one takes no more writes: whoever writes is told that it is unavailable,
3. the documents are copied page by page, each checked against the new fields,
4. the alias is moved and the old index deleted, in one step.

If it fails, the new index is deleted and the old one takes writes again. If the process is killed,
the next that asks for the version begins anew, once the lease of the lock is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from elasticsearch import BadRequestError, NotFoundError

from pkg.search import evolution
from pkg.search.elastic_client import asking
from pkg.search.elastic_copy import copy
from pkg.search.elastic_lock import locked
from pkg.search.elastic_query import mapping
from pkg.search.errors import MigrationError, RefusedError, SearchError, SearchUnavailableError
from pkg.search.fields import read
from pkg.search.search import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elasticsearch import AsyncElasticsearch

    from pkg.clock import Clock, Pause
    from pkg.search.elastic_lock import Lock
    from pkg.search.elastic_settings import ElasticSettings
    from pkg.search.index import Index
    from pkg.tokens import Tokens

_LEASE: Final = timedelta(seconds=10)
"""More than a step may take."""
_TRIES: Final = 5
"""Of finding an index that others make and delete meanwhile."""


@dataclass(frozen=True, slots=True)
class _Current:
    """The index behind an alias."""

    physical: str
    version: int
    definition: Mapping[str, Mapping[str, Any]]


class Migration:
    """Brings indices to what the code asks for."""

    def __init__(
        self,
        client: AsyncElasticsearch,
        settings: ElasticSettings,
        *,
        clock: Clock,
        pause: Pause,
        tokens: Tokens,
    ) -> None:
        self._client = client
        self._settings = settings
        self._timeout = settings.bulk_timeout
        self._clock = clock
        self._pause = pause
        self._tokens = tokens

    async def ensure(self, index: Index[Any]) -> Change:
        """Do what `Search.ensure` says."""
        try:
            return await self._ensure(index)
        except RefusedError as error:
            raise MigrationError(f"{index.name}: {error}") from error

    async def _ensure(self, index: Index[Any]) -> Change:
        for _ in range(_TRIES):
            current = await self._current(index.name)
            if current is None:
                if await self._create(index):
                    return Change.CREATED
                continue  # another process was faster
            change = evolution.change(index, current.version, current.definition)
            if change is Change.EXTENDED:
                await self._extend(index, current)
            elif change is Change.MIGRATED:
                return await self._migrate(index)
            return change
        raise SearchUnavailableError(f"{index.name} comes and goes: another process deletes it")

    async def _current(self, name: str) -> _Current | None:
        async with asking(name, self._timeout):
            try:
                answer = await self._client.indices.get(index=name)
            except NotFoundError:
                return None
        if len(answer.body) != 1:
            raise MigrationError(f"{name} is an alias of more than one index")
        ((physical, found),) = answer.body.items()
        meta = found.get("mappings", {}).get("_meta", {})
        if physical == name or "fields" not in meta or "version" not in meta:
            raise MigrationError(f"there is an index or alias {name} that was not made by this")
        return _Current(physical, meta["version"], meta["fields"])

    async def _create(self, index: Index[Any]) -> bool:
        """Make the first index; False if another process did."""
        await self._put_template(index, index.definition)
        async with asking(index.name, self._timeout):
            try:
                await self._client.indices.create(
                    index=_physical(index), aliases={index.name: {"is_write_index": True}}
                )
            except BadRequestError as error:
                if error.message not in _TAKEN:
                    raise
                return False
        return True

    async def _extend(self, index: Index[Any], current: _Current) -> None:
        definition = evolution.extended(index, current.definition)
        await self._put_template(index, definition)
        mappings = _mappings(index.version, definition)
        async with asking(index.name, self._timeout):
            await self._client.indices.put_mapping(
                index=current.physical,
                properties=mappings["properties"],
                meta=mappings["_meta"],
            )

    async def _migrate(self, index: Index[Any]) -> Change:
        owner = self._tokens.hex(8)
        async with locked(
            self._client,
            index.name,
            owner=owner,
            lease=self._timeout + _LEASE,
            within=self._timeout,
            clock=self._clock,
            pause=self._pause,
        ) as lock:
            current = await self._current(index.name)
            if current is None:
                raise SearchUnavailableError(f"{index.name} was deleted meanwhile")
            change = evolution.change(index, current.version, current.definition)
            if change is Change.MIGRATED:
                await self._move(index, current, lock, owner)
            return change

    async def _move(self, index: Index[Any], old: _Current, lock: Lock, owner: str) -> None:
        new = _physical(index)
        # A process that lost the lock still writes here, and fails: the name goes with its index.
        private = f"{new}-{owner}"
        await self._put_template(index, index.definition)
        try:
            async with asking(index.name, self._timeout):
                await self._client.indices.delete(index=new, ignore_unavailable=True)
                await self._client.indices.create(index=new, aliases={private: {}})
            async with asking(index.name, self._timeout):
                await self._client.indices.add_block(index=old.physical, block="write")
                await self._client.indices.refresh(index=old.physical)
            await copy(
                self._client,
                index,
                source=old.physical,
                target=private,
                within=self._timeout,
                renew=lock.renew,
                pause=self._pause,
            )
            await lock.renew()
            async with asking(index.name, self._timeout):
                await self._client.indices.update_aliases(
                    actions=[
                        {"remove_index": {"index": old.physical}},
                        # Fails, and with it the whole, where another process has taken over.
                        {"remove": {"index": new, "alias": private, "must_exist": True}},
                        {"add": {"index": new, "alias": index.name, "is_write_index": True}},
                    ]
                )
        except BaseException:
            await self._give_up(lock, old, new)
            raise

    async def _give_up(self, lock: Lock, old: _Current, new: str) -> None:
        """Leave the old index as it was, unless another process migrates it now."""
        try:
            await lock.renew()
            async with asking(old.physical, self._timeout):
                found = await self._client.indices.exists(index=old.physical)
                if not found:  # the last step was done, only its answer is missing
                    return
                await self._client.indices.delete(index=new, ignore_unavailable=True)
                await self._client.indices.put_settings(
                    index=old.physical, settings={"index.blocks.write": False}
                )
        except SearchError:
            return  # why it was given up is what is told; the next migration begins anew

    async def _put_template(
        self, index: Index[Any], definition: Mapping[str, Mapping[str, Any]]
    ) -> None:
        settings = self._settings
        milliseconds = round(settings.refresh_interval.total_seconds() * 1000)
        async with asking(index.name, self._timeout):
            await self._client.indices.put_index_template(
                name=index.name,
                index_patterns=[f"{index.name}-v*"],
                priority=200,
                version=index.version,
                template={
                    "settings": {
                        "number_of_shards": settings.shards,
                        "number_of_replicas": settings.replicas,
                        "refresh_interval": f"{milliseconds}ms",
                    },
                    "mappings": _mappings(index.version, definition),
                },
            )


_TAKEN: Final = (
    "resource_already_exists_exception",
    "invalid_index_name_exception",  # an alias has it
    "illegal_state_exception",  # the alias has an index of another version
)
"""What it means that another process was faster."""


def _physical(index: Index[Any]) -> str:
    return f"{index.name}-v{index.version}"


def _mappings(version: int, definition: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "dynamic": "strict",
        "_meta": {"version": version, "fields": definition},
        "properties": mapping({name: read(each) for name, each in definition.items()}),
    }
