"""The messages of one partition, on their way through the handlers."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from pkg.bus.frontier import Frontier
from pkg.bus.tasks import end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pkg.bus.message import Partition, Received

    Handle = Callable[[Received, asyncio.Event], Awaitable[bool]]


class Lanes:
    """Handles a partition in order, or each key of it in order where there are several lanes."""

    def __init__(
        self,
        partition: Partition,
        handle: Handle,
        *,
        lanes: int,
        on_done: Callable[[Lanes], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Begin; waits for messages.

        Args:
            partition: whose messages come.
            handle: whether it is done with a message. It shall not raise.
            lanes: how many messages may be in hand.
            on_done: called when there is more to commit, or room for more.
            on_failure: told when `handle` raises after all, which ends the lane.
        """
        self.partition = partition
        self.paused = False
        """Whether the source was told to read no more of it."""
        self.committed: int | None = None
        """What was committed last."""
        self._handle = handle
        self._on_done = on_done
        self._on_failure = on_failure
        self._frontier = Frontier()
        self._closing = asyncio.Event()
        self._queues: tuple[asyncio.Queue[Received | None], ...] = tuple(
            asyncio.Queue() for _ in range(lanes)
        )
        self._tasks = {
            asyncio.create_task(self._work(queue), name=f"bus-{partition}")
            for queue in self._queues
        }

    def add(self, received: Received) -> None:
        """Take a message. Nothing bounds this: who adds looks at `backlog`."""
        self._frontier.begin(received.offset)
        self._queues[self._lane(received)].put_nowait(received)

    @property
    def backlog(self) -> int:
        """How many messages are kept."""
        return len(self._frontier)

    @property
    def position(self) -> int | None:
        """What is to be committed; None if there is nothing new."""
        position = self._frontier.position
        return None if position == self.committed else position

    async def finish(self, seconds: float) -> None:
        """Begin no more, and wait so long for what is in a handler; then cancel it."""
        self._closing.set()
        for queue in self._queues:
            queue.put_nowait(None)
        try:
            await asyncio.wait(self._tasks, timeout=seconds)
        finally:
            await end(self._tasks)

    def _lane(self, received: Received) -> int:
        key = received.message.key
        return (received.offset if key is None else zlib.crc32(key)) % len(self._queues)

    async def _work(self, queue: asyncio.Queue[Received | None]) -> None:
        try:
            while not self._closing.is_set():
                received = await queue.get()
                if received is None or not await self._handle(received, self._closing):
                    return
                self._frontier.done(received.offset)
                self._on_done(self)
        except Exception as error:  # noqa: BLE001 - a defect; whoever owns us begins again
            self._on_failure(error)
