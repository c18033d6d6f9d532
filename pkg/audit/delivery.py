"""Writes the records that wait, in batches, again and again until they are too old."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING

from pkg.alert import Alert
from pkg.audit.metrics import EXPIRED, REFUSED, STOPPED
from pkg.audit.sink import NotWrittenError

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from pkg.alert import Alerts
    from pkg.audit.drops import Drops
    from pkg.audit.metrics import AuditMetrics
    from pkg.audit.record import Record
    from pkg.audit.settings import AuditSettings
    from pkg.audit.sink import AuditSink
    from pkg.audit.waiting import Waiting
    from pkg.backoff import Backoff
    from pkg.clock import Clock, Pause


class Delivery:
    """From what waits to the sink, in the loop that starts it.

    Whoever puts records there calls `tell`, in any thread. It wakes the sink's loop for the first
    of them, and when there are enough: to wake another thread costs more than to make a record.
    """

    def __init__(
        self,
        sink: AuditSink,
        waiting: Waiting,
        drops: Drops,
        settings: AuditSettings,
        *,
        backoff: Backoff,
        metrics: AuditMetrics,
        alerts: Alerts,
        clock: Clock,
        pause: Pause,
        logger: logging.Logger,
    ) -> None:
        """Prepare; the arguments are those of `Recorder`."""
        self._sink = sink
        self._waiting = waiting
        self._drops = drops
        self._settings = settings
        self._backoff = backoff
        self._metrics = metrics
        self._alerts = alerts
        self._clock = clock
        self._pause = pause
        self._log = logger
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._noticing = False
        """Whether the loop will look at what waits in a moment."""
        self._stopping = False
        self.stopped = False
        """Whether nothing more is written."""
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        """Set where a batch need not wait for more: it is full, or there is no room, or time."""
        self._none = asyncio.Event()
        self._none.set()
        self._task: asyncio.Task[None] | None = None
        self._trouble = False

    def start(self, name: str) -> None:
        """Begin to write, in a task of this name."""
        self._loop, self._thread = asyncio.get_running_loop(), get_ident()
        self._task = asyncio.create_task(self._work(), name=name)

    async def stop(self) -> None:
        """Write what waits, within the flush time. What is left then is lost, and counted."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping = True
        self._notice()
        self._enough.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.flush.total_seconds()):
                    await self._none.wait()
        finally:
            self.stopped = True
            task.cancel()
            await asyncio.wait((task,))
            lost = len(self._waiting)
            if lost:
                self._drops.add(STOPPED, lost)
            self._waiting.settle(lost)

    def tell(self) -> None:
        """Have the loop look at what waits, if it does not know that there is something."""
        if get_ident() == self._thread:
            self._notice()
            return
        new = len(self._waiting) and not self._some.is_set()
        if self._noticing or not (new or (self._plenty and not self._enough.is_set())):
            return
        self._noticing = True
        with suppress(RuntimeError):  # the loop has been closed in the meantime
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._notice)

    @property
    def _plenty(self) -> bool:
        """Whether a batch need not wait for more."""
        waiting = self._waiting
        return waiting.short or waiting.full or len(waiting) >= self._settings.batch

    def _notice(self) -> None:
        self._noticing = False
        if len(self._waiting):
            self._none.clear()
            self._some.set()
        if self._plenty:
            self._enough.set()

    async def _work(self) -> None:
        failures = 0
        while True:
            await self._some.wait()
            if not failures:
                await self._linger()
            batch = self._waiting.first(self._settings.batch)
            left = await self._write(batch)
            self._waiting.settle(len(batch), left)
            self._expire()
            if not len(self._waiting):
                self._some.clear()
                self._none.set()
                self._notice()  # of what another thread put there before it could see that
            failures = failures + 1 if left else 0
            if left:
                await self._pause(self._backoff.wait(failures))

    async def _linger(self) -> None:
        """Let a batch grow, until it need not wait for more or has waited long enough."""
        linger = self._settings.linger.total_seconds()
        if not linger or self._stopping:
            return
        self._enough.clear()
        if not self._plenty:
            with suppress(TimeoutError):
                async with asyncio.timeout(linger):
                    await self._enough.wait()

    async def _write(self, batch: Sequence[Record]) -> Sequence[Record]:
        """Write once; what is left to be written again."""
        left: Sequence[Record] = ()
        refused: Sequence[Record] = ()
        try:
            await self._sink.write(batch)
        except NotWrittenError as error:
            left, refused = error.left, error.refused
            if refused:
                self._log.error("records are refused: %s", error)
                self._drops.add(REFUSED, len(refused))
            if left:
                self._ill(error)
        except Exception as error:  # noqa: BLE001 - a defect of a sink must not end the recording
            left = batch
            self._ill(error)
        self._metrics.written.inc(len(batch) - len(left) - len(refused))
        if not left:
            self._well()
        return left

    def _expire(self) -> None:
        late = self._waiting.older_than(
            self._clock.monotonic() - self._settings.keep.total_seconds()
        )
        # What is late though the sink takes records is only slow.
        if late and self._trouble:
            self._waiting.settle(late)
            self._drops.add(EXPIRED, late)

    def _ill(self, error: Exception) -> None:
        if not self._trouble:
            self._log.warning("operation records are not written, and wait: %s", error)
            title = "operation records are not written, and wait"
            self._alerts.send(Alert(topic="audit", title=title, detail=str(error)))
        self._trouble = True

    def _well(self) -> None:
        if self._trouble:
            self._log.info("operation records are written again")
        self._trouble = False
