"""Many documents, gathered and written together, away from the requests that they come from.

Guarantees: a document that was taken is indexed, or refused by the server and then counted, logged
and kept in a file, or on disk for the next start, in the order of its id. While the server is away
documents go to disk; they leave it, oldest first, when the server is back. The time of a request
does not depend on the server: `add` returns or turns the document away.

Not guaranteed: what is in memory, at most the queue and one batch, is lost with a process that is
killed. What must not be lost even then goes through an outbox.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pkg.alert import Alert, Alerts, LoggedAlerts
from pkg.backoff import Backoff, Chance
from pkg.clock import Clock, Pause, SystemClock, pause
from pkg.filestore.threads import in_thread
from pkg.search.bulk_keeper import Keeper
from pkg.search.bulk_metrics import BulkMetrics
from pkg.search.bulk_queue import BulkQueue
from pkg.search.bulk_sender import Sender
from pkg.search.bulk_store import BulkStore
from pkg.search.errors import RefusedError, SearchUnavailableError
from pkg.search.refused_file import RefusedFile
from pkg.search.search import BulkTarget, Item
from pkg.search.spill import Spill

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from pkg.search.bulk_settings import BulkSettings
    from pkg.search.index import Index

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)


class QueueFullError(Exception):
    """There is no room for a document, or the indexer has stopped. It was not taken."""


class BulkIndexer:
    """The indexer as a component. Belongs to the event loop that starts it."""

    def __init__(
        self,
        target: BulkTarget,
        settings: BulkSettings,
        directory: Path,
        *,
        registry: CollectorRegistry,
        alerts: Alerts | None = None,
        chance: Chance = random.random,
        clock: Clock | None = None,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
        name: str = "search-bulk",
    ) -> None:
        """Touch nothing yet.

        Args:
            target: where documents go.
            settings: how.
            directory: of this indexer alone, on a disk that outlives the process.
            registry: gets the series of `BulkMetrics`.
            alerts: told, under the topic `es`, what a person should know.
            chance: spreads the tries of many processes.
            clock: of the file of refused documents, and for durations.
            pause: waits between tries.
            logger: told the same, and more.
            name: of the component.
        """
        self.name = name
        self._settings = settings
        self._directory = directory
        self._alerts = alerts or LoggedAlerts(logger)
        self._clock = clock or SystemClock()
        self._log = logger
        self._metrics = BulkMetrics(registry)
        self._queue = BulkQueue(max_items=settings.queue_items, max_size=settings.queue_size)
        spill = settings.spill
        self._spill = (
            None
            if spill is None
            else Spill(directory / "spill", max_size=spill.max_size, sync=spill.sync == "always")
        )
        self._store = BulkStore(
            self._queue,
            self._spill,
            self._metrics,
            most=settings.flush_items,
            size=settings.flush_size,
        )
        self._sender = Sender(
            target,
            self._store,
            settings,
            RefusedFile(directory / "refused.jsonl", max_size=settings.refused_size),
            metrics=self._metrics,
            alerts=self._alerts,
            backoff=Backoff(settings.backoff, chance),
            clock=self._clock,
            pause=pause,
            logger=logger,
        )
        self._keeper = Keeper(
            self._store,
            self._sender,
            every=settings.flush_every,
            metrics=self._metrics,
            alerts=self._alerts,
            logger=logger,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False
        """A wake is on its way to the loop."""
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> BulkIndexer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def away(self) -> str:
        """Why the server does not take documents; empty while it does."""
        return self._sender.away

    async def start(self) -> None:
        """Find what an earlier process left, and begin.

        Raises:
            SpillInUseError: another process uses the directory.
            OSError: the directory cannot be used.
        """
        try:
            await in_thread(self._open)
        except BaseException:
            if self._spill is not None:
                self._spill.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._tasks = (
            asyncio.create_task(self._sender.run(), name=f"{self.name}-send"),
            asyncio.create_task(self._keeper.run(), name=f"{self.name}-keep"),
        )

    async def stop(self) -> None:
        """Take no more, send on until the deadline, and leave the rest on disk."""
        self._queue.close()
        self._keeper.end()
        sending, keeping = self._tasks
        try:
            await asyncio.wait({keeping})
            if not self._store.on_disk:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.stop_timeout.total_seconds()):
                        await self._sender.drained()
        finally:
            sending.cancel()
            await asyncio.wait({sending})
            self._tell_lost(await self._store.close())

    async def check(self) -> None:
        """Return while documents are taken by the server, or need not be.

        Raises:
            SearchUnavailableError: the server is away, and required.
        """
        if self._settings.required and self.away:
            raise SearchUnavailableError(self.away)

    async def wait(self) -> None:
        """Return or raise when the indexer has ended by itself, which it does only by a defect."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def add(self, index: Index[T], id: str, document: T) -> None:  # noqa: A002 - as `put`
        """Take a document, in place of the one with this id. May be called on any event loop.

        Waits for room as long as `full_wait` says, which by default is not at all.

        Raises:
            RefusedError: as for `Search.put`, or it is larger than `flush_size`.
            QueueFullError: there is no room.
        """
        item = self._item(index, id, document)
        if self._offer(item):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.full_wait.total_seconds()):
                while True:
                    room = self._queue.room()
                    if self._offer(item):
                        room.cancel()
                        return
                    await asyncio.wrap_future(room)
        self._turn_away()

    def add_now(self, index: Index[T], id: str, document: T) -> None:  # noqa: A002 - as `put`
        """Take a document as `add` does, and wait for nothing. May be called by any thread.

        Raises:
            RefusedError: as for `add`.
            QueueFullError: there is no room.
        """
        if not self._offer(self._item(index, id, document)):
            self._turn_away()

    def _item(self, index: Index[Any], id_: str, document: Any) -> Item:
        item = Item(index.name, id_, index.encode(id_, document))
        if item.size > self._settings.flush_size:
            raise RefusedError("", f"the document is larger than {self._settings.flush_size}")
        return item

    def _offer(self, item: Item) -> bool:
        loop = self._loop
        if loop is None or not self._queue.offer(item):
            return False
        self._metrics.added.inc()
        if not self._woken:
            self._woken = True
            loop.call_soon_threadsafe(self._wake)
        return True

    def _wake(self) -> None:
        self._woken = False  # first: what is added from now on wakes again
        self._sender.wake()
        if self._queue.half_full:
            self._keeper.look()

    def _turn_away(self) -> None:
        self._metrics.turned_away.inc()
        raise QueueFullError("the bulk indexer has no room for a document")

    def _open(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._spill is None:
            return
        self._spill.open()
        if len(self._spill):
            self._metrics.recovered.inc(len(self._spill))
            self._log.info("documents were left on disk", extra={"documents": len(self._spill)})

    def _tell_lost(self, lost: list[Item]) -> None:
        if not lost:
            return
        self._metrics.lost.inc(len(lost))
        self._log.error("%d documents were lost at the stop", len(lost))
        self._alerts.send(
            Alert(
                topic="es",
                title="documents were lost at the stop",
                detail=f"{len(lost)} of them: {self.away or 'out of time'}",
            )
        )
