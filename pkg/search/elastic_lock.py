"""Who migrates an index: one process at a time, told by a document that it renews.

No clock is compared with another: whoever waits takes over when the document has not changed for as
long as a lease by its own clock.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from elasticsearch import BadRequestError, ConflictError, NotFoundError

from pkg.search.elastic_client import asking
from pkg.search.errors import SearchError, SearchUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from elasticsearch import AsyncElasticsearch

    from pkg.clock import Clock, Pause

_INDEX: Final = "search-locks"
_POLL: Final = timedelta(milliseconds=250)


class Lock:
    """The right to migrate one index, while `renew` says so."""

    def __init__(
        self, client: AsyncElasticsearch, name: str, *, owner: str, timeout: timedelta
    ) -> None:
        self._client = client
        self._name = name
        self._owner = owner
        self._timeout = timeout
        self._at: tuple[int, int] | None = None

    async def renew(self) -> None:
        """Go on.

        Raises:
            SearchUnavailableError: another process has taken over, or it cannot be told.
        """
        if self._at is None or not await self.take(self._at):
            raise SearchUnavailableError(f"another process has begun to migrate {self._name}")

    async def take(self, since: tuple[int, int] | None) -> bool:
        """Take it, if nobody has since it was like that; None: if nobody has it."""
        document: Any = {"owner": self._owner}
        async with asking(_INDEX, self._timeout):
            try:
                if since is None:
                    answer = await self._client.create(
                        index=_INDEX, id=self._name, document=document
                    )
                else:
                    answer = await self._client.index(
                        index=_INDEX,
                        id=self._name,
                        document=document,
                        if_seq_no=since[0],
                        if_primary_term=since[1],
                    )
            except ConflictError:
                return False
        self._at = (answer["_seq_no"], answer["_primary_term"])
        return True

    async def state(self) -> tuple[int, int] | None:
        """What changes whenever it is taken or renewed; None if nobody has it."""
        async with asking(_INDEX, self._timeout):
            try:
                answer = await self._client.get(index=_INDEX, id=self._name)
            except NotFoundError:
                return None
        return answer["_seq_no"], answer["_primary_term"]

    async def release(self) -> None:
        """Let others have it. Where that fails, they wait for a lease."""
        if self._at is None:
            return
        with suppress(SearchError):
            async with asking(_INDEX, self._timeout):
                with suppress(ConflictError, NotFoundError):
                    await self._client.delete(
                        index=_INDEX,
                        id=self._name,
                        if_seq_no=self._at[0],
                        if_primary_term=self._at[1],
                    )


@asynccontextmanager
async def locked(
    client: AsyncElasticsearch,
    name: str,
    *,
    owner: str,
    lease: timedelta,
    within: timedelta,
    clock: Clock,
    pause: Pause,
) -> AsyncIterator[Lock]:
    """Wait for the lock, however long that takes, and hold it.

    Args:
        client: of the cluster.
        name: of the lock.
        owner: of the lock, for people to see.
        lease: after so long without a renewal others take over. More than `within`.
        within: so long, each request.
        clock: measures the lease.
        pause: waits.
    """
    await _create_index(client, within)
    lock = Lock(client, name, owner=owner, timeout=within)
    seen: tuple[int, int] | None = None
    since = clock.monotonic()
    while not await lock.take(None):
        state = await lock.state()
        if state != seen:
            seen, since = state, clock.monotonic()
        elif state and clock.monotonic() - since >= lease.total_seconds():
            if await lock.take(state):
                break
            continue
        await pause(_POLL)
    try:
        yield lock
    finally:
        await lock.release()


async def _create_index(client: AsyncElasticsearch, within: timedelta) -> None:
    async with asking(_INDEX, within):
        try:
            await client.indices.create(
                index=_INDEX,
                mappings={"dynamic": False},
                settings={"number_of_shards": 1, "auto_expand_replicas": "0-1"},
            )
        except BadRequestError as error:
            if error.message != "resource_already_exists_exception":
                raise
