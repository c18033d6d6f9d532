"""Documents on their way, in memory and on disk, in one order.

What is under way is older than what is on disk, and that is older than what is in memory. So what
is in memory goes to disk only after what is under way, unless that came from there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkg.filestore.threads import in_thread
from pkg.search.spill import SpillFullError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.search.bulk_metrics import BulkMetrics
    from pkg.search.bulk_queue import BulkQueue
    from pkg.search.search import Item
    from pkg.search.spill import Position, Spill


@dataclass(slots=True)
class Batch:
    """What is under way."""

    items: list[Item]
    """That have not arrived yet."""
    position: Position | None
    """Where it ends on disk; None if it is not there."""


class BulkStore:
    """Hands out batches, one at a time. Belongs to one event loop."""

    def __init__(
        self, queue: BulkQueue, spill: Spill | None, metrics: BulkMetrics, *, most: int, size: int
    ) -> None:
        """Begin with nothing under way.

        Args:
            queue: in memory.
            spill: on disk, opened; None: there is none.
            metrics: told what goes to disk.
            most: documents of a batch.
            size: bytes of a batch.
        """
        self.queue = queue
        self.spill = spill
        self._metrics = metrics
        self._most = most
        self._size = size
        self._under_way: Batch | None = None
        self._lock = asyncio.Lock()

    @property
    def on_disk(self) -> int:
        """Documents on disk."""
        return len(self.spill) if self.spill else 0

    @property
    def in_memory(self) -> int:
        """Documents in memory only, those under way among them."""
        batch = self._under_way
        under_way = 0 if batch is None or batch.position is not None else len(batch.items)
        return len(self.queue) + under_way

    @property
    def full_batch(self) -> bool:
        """Whether as many are in memory as go together."""
        return len(self.queue) >= self._most or self.queue.size >= self._size

    async def take(self) -> Batch | None:
        """The oldest batch, which is under way from now on; None if there is nothing.

        Raises:
            OSError: the disk cannot be read.
        """
        async with self._lock:
            found = None
            if self.spill is not None and len(self.spill):
                found = await in_thread(self.spill.peek, most=self._most, size=self._size)
            if found is not None:
                self._under_way = Batch(*found)
            else:
                items = self.queue.take(most=self._most, size=self._size)
                self._under_way = Batch(items, None) if items else None
            self.measure()
            return self._under_way

    async def done(self) -> None:
        """All of the batch has arrived.

        Raises:
            OSError: the disk cannot be told: after a restart it is sent again.
        """
        async with self._lock:
            batch, self._under_way = self._under_way, None
            if batch is not None and batch.position is not None and self.spill is not None:
                await in_thread(self.spill.advance, batch.position)
            self.measure()

    async def to_disk(self) -> bool:
        """Move what is in memory to disk, as much as there is room for; False if not all of it.

        Raises:
            OSError: the disk fails. What was not written is where it was.
        """
        async with self._lock:
            try:
                if not await self._write_under_way():
                    return False
                while len(self.queue):
                    if not await self._write_queue():
                        return False
                return True
            finally:
                self.measure()

    async def close(self) -> list[Item]:
        """Move everything to disk, beyond its bound if need be; what cannot be kept there."""
        async with self._lock:
            left = []
            batch, self._under_way = self._under_way, None
            if batch is not None and batch.position is None:
                left += batch.items
            while taken := self.queue.take(most=self._most, size=self._size):
                left += taken
            if self.spill is None:
                return left
            try:
                if left:
                    await in_thread(self.spill.append, left, beyond=True)
                    self._metrics.spilled.inc(len(left))
                    left = []
            except OSError:
                return left
            finally:
                self.measure()
                self.spill.close()
            return left

    async def _write_under_way(self) -> bool:
        batch = self._under_way
        if batch is None or batch.position is not None or not batch.items:
            return True
        position = await self._append(batch.items)
        batch.position = position
        return position is not None

    async def _write_queue(self) -> bool:
        items = self.queue.take(most=self._most, size=self._size)
        try:
            kept = await self._append(items) is not None
        except BaseException:
            self.queue.give_back(items)
            raise
        if not kept:
            self.queue.give_back(items)
        return kept

    async def _append(self, items: Sequence[Item]) -> Position | None:
        """Where they end on disk; None if there is no room."""
        if self.spill is None:
            return None
        try:
            position = await in_thread(self.spill.append, items)
        except SpillFullError:
            return None
        self._metrics.spilled.inc(len(items))
        return position

    def measure(self) -> None:
        self._metrics.queue_items.set(len(self.queue))
        self._metrics.queue_bytes.set(self.queue.size)
        if self.spill is not None:
            self._metrics.spill_items.set(len(self.spill))
            self._metrics.spill_bytes.set(self.spill.size)
