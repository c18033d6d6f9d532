"""The partitions that a processor has at the moment, and what is in hand of them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pkg.bus.errors import BusError, LostPartitionError
from pkg.bus.lanes import Lanes
from pkg.bus.tasks import first

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pkg.bus.lanes import Handle
    from pkg.bus.message import Partition, Received
    from pkg.bus.metrics import ConsumerMetrics
    from pkg.bus.ports import Source
    from pkg.bus.settings import SubscriptionSettings

_LOG: Final = logging.getLogger(__name__)


class Assignment:
    """A `Rebalance` of one source. What goes is finished or given up, and committed, first."""

    def __init__(
        self,
        source: Source,
        subscription: SubscriptionSettings,
        handle: Handle,
        *,
        metrics: ConsumerMetrics,
        logger: logging.Logger = _LOG,
    ) -> None:
        self._source = source
        self._subscription = subscription
        self._handle = handle
        self._metrics = metrics
        self._log = logger
        self._lanes: dict[Partition, Lanes] = {}
        self._going = asyncio.Event()
        self._going.set()
        self.dirty = asyncio.Event()
        """Set when there may be something to commit."""
        self._broken = asyncio.Event()
        self._failure: BaseException | None = None
        self._committing = asyncio.Lock()

    async def assigned(self, partitions: Collection[Partition]) -> None:
        """Begin to work on these."""
        for partition in partitions:
            self._lanes[partition] = Lanes(
                partition,
                self._begin,
                lanes=self._subscription.lanes,
                on_done=self._progress,
                on_failure=self._fail,
            )
        self.throttle()
        self._log.info("got %s", _named(partitions), extra={"group": self._subscription.group})

    async def revoked(self, partitions: Collection[Partition]) -> None:
        """Finish what is in hand of these, within the drain time, and commit it."""
        going = [self._lanes[each] for each in partitions if each in self._lanes]
        try:
            seconds = self._subscription.drain.total_seconds()
            await asyncio.gather(*(each.finish(seconds) for each in going))
            await self._commit(going)
        finally:
            for each in going:
                self._drop(each)
        self._log.info("gave up %s", _named(partitions), extra={"group": self._subscription.group})

    def add(self, received: Iterable[Received]) -> None:
        """Hand out what was read. What is not ours any more is left out."""
        for each in received:
            lanes = self._lanes.get(each.where)
            if lanes is not None:
                lanes.add(each)

    @property
    def backlog(self) -> int:
        """How many messages of all partitions are kept."""
        return sum(each.backlog for each in self._lanes.values())

    def hold(self, held: bool) -> None:
        """Begin nothing more at all, or go on."""
        if held:
            self._going.clear()
        else:
            self._going.set()
        self.throttle()

    def throttle(self) -> None:
        """Pause the partitions that are far ahead of their handlers, and resume the others."""
        most = self._subscription.prefetch
        for partition, lanes in self._lanes.items():
            limit = most // 2 if lanes.paused else most - 1
            wanted = not self._going.is_set() or lanes.backlog > limit
            if wanted != lanes.paused:
                lanes.paused = wanted
                (self._source.pause if wanted else self._source.resume)(partition)

    async def commit(self) -> None:
        """Commit what is done of all partitions.

        A partition that is lost is dropped, whoever has it now begins where we last committed.

        Raises:
            UnavailableError: it may not have been committed.
        """
        lanes = list(self._lanes.values())
        try:
            await self._committed(lanes)
        except LostPartitionError:
            for each in lanes:
                await self._commit([each])

    async def failure(self) -> None:
        """Wait until a lane fails, which none should.

        Raises:
            BusError: because of what the lane raised.
        """
        await self._broken.wait()
        raise BusError(f"a lane failed: {self._failure!r}") from self._failure

    async def finish(self) -> None:
        """Finish or give up everything, and commit what is done; the source is still open."""
        await self.revoked(tuple(self._lanes))

    async def _commit(self, lanes: Collection[Lanes]) -> None:
        """Commit as far as that is possible."""
        try:
            await self._committed(lanes)
        except LostPartitionError:
            self._log.warning(
                "lost %s: what was done and not committed will be done again",
                _named([each.partition for each in lanes]),
            )
            for each in lanes:
                await each.finish(0)
                self._drop(each)
        except BusError as error:
            self._log.warning(
                "%s could not be committed, and will be done again: %s",
                _named([each.partition for each in lanes]),
                error,
            )

    async def _committed(self, lanes: Collection[Lanes]) -> None:
        async with self._committing:  # one that is tried again must not overtake a later one
            new = [(each, position) for each in lanes if (position := each.position) is not None]
            if new:
                await self._source.commit({each.partition: position for each, position in new})
            for each, position in new:
                each.committed = position

    async def _begin(self, received: Received, closing: asyncio.Event) -> bool:
        """Handle a message, but not while everything is held."""
        if not self._going.is_set():
            await first(self._going.wait(), closing.wait())
        return await self._handle(received, closing)

    def _drop(self, lanes: Lanes) -> None:
        if self._lanes.get(lanes.partition) is lanes:
            del self._lanes[lanes.partition]
            self._metrics.forget(self._subscription.group, (lanes.partition,))

    def _progress(self, lanes: Lanes) -> None:
        self.dirty.set()
        if lanes.paused:
            self.throttle()

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._broken.set()


def _named(partitions: Collection[Partition]) -> str:
    return ", ".join(map(str, sorted(partitions))) or "nothing"
