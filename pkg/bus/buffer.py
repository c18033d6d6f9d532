"""Messages that wait to be sent, in order, with a bound on how many and how large."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING

from pkg.bus.errors import BufferFullError, RejectedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from pkg.bus.message import Message


class Buffer:
    """First in, first out. Belongs to one event loop."""

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, message: Message, wait: timedelta) -> None:
        """Take a message, as soon as there is room.

        Raises:
            BufferFullError: there was none for so long.
            RejectedError: there will never be: it is larger than the buffer.
            UnavailableError: the buffer is closed.
        """
        size = message.size
        if size > self._most_bytes:
            raise RejectedError(f"a message of {size} bytes is larger than the buffer")
        try:
            async with asyncio.timeout(wait.total_seconds()), self._changed:
                await self._changed.wait_for(lambda: self._closed or self._fits(size))
                if self._closed:
                    raise UnavailableError("the publisher does not run")
                self._waiting.append(message)
                self._bytes += size
                self._changed.notify_all()
        except TimeoutError:
            raise BufferFullError(
                f"{len(self._waiting)} messages wait already, {self._bytes} bytes"
            ) from None

    async def first(self, count: int) -> list[Message]:
        """Up to so many of those that wait longest, as soon as there is one. They stay."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting)
            return list(islice(self._waiting, count))

    async def settle(self, count: int, left: Sequence[Message]) -> None:
        """Take away the first so many, but for those that are left to be sent again."""
        async with self._changed:
            for _ in range(count):
                self._bytes -= self._waiting.popleft().size
            self._waiting.extendleft(reversed(left))
            self._bytes += sum(each.size for each in left)
            self._changed.notify_all()

    async def close(self) -> None:
        """Take no more, not even from those who wait for room."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def empty(self) -> None:
        """Return when nothing waits."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._waiting)

    def topics(self) -> Counter[str]:
        """How many messages wait for each topic."""
        return Counter(each.topic for each in self._waiting)

    def _fits(self, size: int) -> bool:
        return len(self._waiting) < self._most and self._bytes + size <= self._most_bytes
