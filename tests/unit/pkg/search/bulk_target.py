"""A target of bulk writes that keeps them, and can be told to fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pkg.search import Item, Outcome, Result, SearchUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence


class FakeTarget:
    """A `BulkTarget` in memory."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.order: list[str] = []
        """Ids as they were taken."""
        self.batches: list[list[str]] = []
        """Ids of every request that was answered."""
        self.error: Exception | None = None
        """Raised in place of an answer."""
        self.outcomes: dict[str, list[Result]] = {}
        """What becomes of an id, time after time, before it is taken."""
        self.open = asyncio.Event()
        """Cleared: requests hang."""
        self.open.set()
        self.asked = asyncio.Event()
        """A request has come."""
        self._changed = asyncio.Condition()

    async def write(self, items: Sequence[Item]) -> list[Result]:
        self.asked.set()
        await self.open.wait()
        try:
            if self.error is not None:
                raise self.error
            self.batches.append([item.id for item in items])
            return [self._take(item) for item in items]
        finally:
            async with self._changed:
                self._changed.notify_all()

    def away(self) -> None:
        self.error = SearchUnavailableError("away")

    def back(self) -> None:
        self.error = None

    async def has(self, count: int) -> None:
        """Wait until so many documents have been taken."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.order) >= count)

    async def asked_again(self) -> None:
        """Wait for one request more."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait()

    def _take(self, item: Item) -> Result:
        results = self.outcomes.get(item.id)
        if results:
            return results.pop(0)
        self.documents[item.id] = item.source
        self.order.append(item.id)
        return Result(Outcome.DONE)
