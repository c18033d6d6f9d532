"""Reads keys of Redis together that many calls ask for at the same time.

A command costs this process ten times what one more key in it costs. What is asked for in one turn
of the loop, or while a read is under way, goes out in one command. Guarantees that a key is read
after it was asked for, never before: what was written until then is seen.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.asyncio.cluster import RedisCluster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

_AT_ONCE: Final = 4
"""Reads under way, where they take long."""
_PATIENCE: Final = 0.02
"""Seconds that a read may take before calls that come no longer wait for it to end: its connection
may hang."""
_LARGEST: Final = 128
"""Calls that share a read, so that no answer is a long one."""


class _Asked(NamedTuple):
    keys: tuple[str, ...]
    answer: asyncio.Future[list[Any]]
    context: Context
    """Of the call; a shared read is recorded in the trace of its first one."""


class SharedReads:
    """`GET` for whoever asks. Belongs to its client's event loop."""

    def __init__(self, client: Redis, *, patience: float = _PATIENCE) -> None:
        """`patience`: seconds after which another read is begun beside those under way."""
        self._client: Any = client
        self._patience = patience
        self._begun = 0.0
        self._cluster = isinstance(client, RedisCluster)
        self._asked: deque[_Asked] = deque()
        self._reads: set[asyncio.Task[None]] = set()
        self._beginning = False

    async def get(self, *keys: str) -> list[Any]:
        """The values of the keys, None where there is none.

        Raises:
            RedisError and its like: the read failed, for everybody who shared it.
        """
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(keys, answer, copy_context()))
        self._begin()
        return await answer

    def _begin(self) -> None:
        """Have what is asked for read, in the next turn of the loop, unless a read is awaited."""
        if not self._asked or self._beginning or len(self._reads) >= _AT_ONCE:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._reads and now - self._begun < self._patience:
            return
        self._beginning, self._begun = True, now
        read = loop.create_task(self._read(), context=self._asked[0].context)
        self._reads.add(read)
        read.add_done_callback(self._ended)

    def _ended(self, read: asyncio.Task[None]) -> None:
        self._reads.discard(read)
        if not read.cancelled():
            self._begin()
            return
        # The loop is being closed: nothing more is read on it.
        self._beginning = False
        while self._asked:
            self._asked.popleft().answer.cancel()

    async def _read(self) -> None:
        self._beginning = False
        shared = [self._asked.popleft() for _ in range(min(_LARGEST, len(self._asked)))]
        try:
            values = await self._get([key for asked in shared for key in asked.keys])
        except Exception as error:  # noqa: BLE001 - each of those who asked gets it
            for asked in shared:
                if not asked.answer.done():
                    asked.answer.set_exception(error)
        else:
            at = 0
            for asked in shared:
                if not asked.answer.done():  # its call may be over
                    asked.answer.set_result(values[at : at + len(asked.keys)])
                at += len(asked.keys)
        finally:
            for asked in shared:
                asked.answer.cancel()

    async def _get(self, keys: Sequence[str]) -> list[Any]:
        values: list[Any]
        if not self._cluster:
            values = await self._client.mget(keys)
            return values
        # The keys are on different nodes.
        async with self._client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.get(key)
            values = await pipeline.execute()
            return values
