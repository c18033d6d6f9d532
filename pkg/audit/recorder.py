"""Takes calls that have ended, and has their records written, without keeping anybody waiting.

A call is taken by reference, which costs an append. Records are made of all that have ended once
the loop has nothing more urgent, so that what is held by reference is no more than what one turn of
the loop has served. From there on they wait in a queue with a bound. They are written in batches,
each of which lingers for more, again and again while the sink takes none, until they are too old.
So a record is written, or it is counted in `audit_dropped_total` with the reason, and alerted once
in a while.

It has no `check`: a service goes on serving while its records are lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from pkg.alert import Alert
from pkg.audit.drops import Drops
from pkg.audit.metrics import BROKEN, EXPIRED, FULL, REFUSED, STOPPED, AuditMetrics
from pkg.audit.sink import NotWrittenError
from pkg.audit.waiting import Waiting
from pkg.audit.writer import Ended
from pkg.clock import Clock, Pause, pause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.alert import Alerts
    from pkg.audit.record import Record
    from pkg.audit.settings import AuditSettings
    from pkg.audit.sink import AuditSink
    from pkg.audit.writer import RecordWriter
    from pkg.backoff import Backoff
    from pkg.rpc import Call

_LOG: Final = logging.getLogger(__name__)
_TURN: Final = 256
"""Records that are made before others have their turn on the loop."""


class Recorder:
    """A component. Start it after what its sink needs, and before the servers."""

    name = "audit"

    def __init__(
        self,
        sink: AuditSink,
        writer: RecordWriter,
        settings: AuditSettings,
        *,
        backoff: Backoff,
        metrics: AuditMetrics,
        alerts: Alerts,
        clock: Clock,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            sink: keeps the records; is used in the loop that starts the recorder.
            writer: makes them.
            settings: the bounds.
            backoff: between two tries of the sink.
            metrics: of the records.
            alerts: told of an outage when it begins, and of losses once in a while, as topic
                `audit`.
            clock: measures how old records are.
            pause: waits.
            logger: told what happens.
        """
        self._sink = sink
        self._writer = writer
        self._settings = settings
        self._backoff = backoff
        self._metrics = metrics
        self._alerts = alerts
        self._clock = clock
        self._pause = pause
        self._log = logger
        self._drops = Drops(metrics, alerts, every=settings.alert_every, clock=clock, logger=logger)
        self._waiting = Waiting(
            most=settings.queue, most_bytes=settings.queue_bytes, metrics=metrics
        )
        self._ended: deque[Ended] = deque()
        self._most = settings.queue
        self._called = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        """Set where a batch need not wait for more: it is full, or there is no room, or time."""
        self._none = asyncio.Event()
        self._none.set()
        self._task: asyncio.Task[None] | None = None
        self._trouble = False

    async def start(self) -> None:
        """Begin to write."""
        self._loop, self._thread = asyncio.get_running_loop(), get_ident()
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def stop(self) -> None:
        """Write what waits, within the flush time. What is left then is lost, and told."""
        task, self._task = self._task, None
        if task is None:
            return
        self._loop = None
        self._make(len(self._ended))
        self._enough.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.flush.total_seconds()):
                    await self._none.wait()
        finally:
            task.cancel()
            await asyncio.wait((task,))
            lost = len(self._waiting) + len(self._ended)
            if lost:
                self._drops.add(STOPPED, lost)
            self._waiting.settle(len(self._waiting))
            self._ended.clear()
            self._drops.tell()

    def record(self, call: Call, reply: Any, reason: str, begun: float, ended: float) -> None:
        """Take a call that has ended. Any thread may; never waits and never raises.

        Neither the call nor the messages may be changed after this.

        Args:
            call: with the request in it, where there is one.
            reply: the message; None where there is none, or a stream of them.
            reason: how it ended.
            begun: on the clock that the records are made with, monotonic.
            ended: the same.
        """
        loop = self._loop
        if loop is None or len(self._ended) >= self._most:
            self._drops.add(STOPPED if loop is None else FULL)
            return
        self._ended.append(Ended(call, reply, reason, begun, ended))
        if self._called:
            return
        self._called = True
        if get_ident() == self._thread:
            loop.call_soon(self._make)
            return
        try:
            loop.call_soon_threadsafe(self._make)
        except RuntimeError:  # the loop has been closed in the meantime
            self._drops.add(STOPPED)

    def _make(self, most: int = _TURN) -> None:
        """Make the records of so many calls that have ended; then others have their turn."""
        self._called = False  # before the first is taken, so that none that comes now is forgotten
        now = self._clock.monotonic()
        waiting = self._waiting
        while self._ended and most:
            most -= 1
            ended = self._ended.popleft()
            if waiting.full:
                self._drops.add(FULL)
                self._enough.set()
                continue
            try:
                record = self._writer.write(ended)
            except Exception:  # noqa: BLE001 - a defect costs one record, not all that follow
                self._log.exception("a call of %s cannot be recorded", ended.call.operation.name)
                self._drops.add(BROKEN)
                continue
            if not waiting.put(record, now):
                self._drops.add(FULL)
                self._enough.set()
        if self._ended and self._loop is not None:
            self._called = True
            self._loop.call_soon(self._make)
        waiting.measure()
        if len(waiting):
            self._none.clear()
            self._some.set()
        if waiting.full or len(waiting) >= self._settings.batch:
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
            failures = failures + 1 if left else 0
            if left:
                await self._pause(self._backoff.wait(failures))

    async def _linger(self) -> None:
        """Let a batch grow, until it need not wait for more or has waited long enough."""
        linger = self._settings.linger.total_seconds()
        waiting, stopping = self._waiting, self._loop is None
        if linger and not stopping and not waiting.full and len(waiting) < self._settings.batch:
            self._enough.clear()
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
