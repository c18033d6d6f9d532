"""Takes calls that have ended, and has their records written, without keeping anybody waiting.

A call is taken by reference, which costs an append. Records are made of all that have ended once
the loop that serves them has nothing more urgent, so that what is held by reference is no more than
what one turn of the loop has served. From there on they wait in a queue with a bound, until
`Delivery` has written them or they are too old. So a record is written, or it is counted in
`audit_dropped_total` with the reason, and alerted once in a while.

It has no `check`: a service goes on serving while its records are lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final

from pkg.audit.delivery import Delivery
from pkg.audit.drops import Drops
from pkg.audit.metrics import BROKEN, FULL, STOPPED, AuditMetrics
from pkg.audit.waiting import Waiting
from pkg.audit.writer import Ended
from pkg.clock import Clock, Pause, pause

if TYPE_CHECKING:
    from pkg.alert import Alerts
    from pkg.audit.settings import AuditSettings
    from pkg.audit.sink import AuditSink
    from pkg.audit.writer import RecordWriter
    from pkg.backoff import Backoff
    from pkg.rpc import Call

_LOG: Final = logging.getLogger(__name__)
_TURN: Final = 256
"""Records that are made before others have their turn on the loop."""


class _Calls:
    """Those of one loop that have ended."""

    __slots__ = ("ended", "seen_to")

    def __init__(self) -> None:
        self.ended: deque[Ended] = deque()
        self.seen_to = False
        """Whether their records will be made in a moment."""


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
        self._writer = writer
        self._clock = clock
        self._log = logger
        self._drops = Drops(metrics, alerts, every=settings.alert_every, clock=clock, logger=logger)
        self._waiting = Waiting(
            most=settings.queue, most_bytes=settings.queue_bytes, metrics=metrics
        )
        self._delivery = Delivery(
            sink,
            self._waiting,
            self._drops,
            settings,
            backoff=backoff,
            metrics=metrics,
            alerts=alerts,
            clock=clock,
            pause=pause,
            logger=logger,
        )
        self._most = settings.queue
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loops: defaultdict[asyncio.AbstractEventLoop, _Calls] = defaultdict(_Calls)

    async def start(self) -> None:
        """Begin to write."""
        self._loop = asyncio.get_running_loop()
        self._delivery.start(self.name)

    async def stop(self) -> None:
        """Write what waits, within the flush time. What is left then is lost, and told."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        for each, calls in list(self._loops.items()):
            self._make(each, len(calls.ended))
        try:
            await self._delivery.stop()
        finally:
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
        if loop is None:
            self._drops.add(STOPPED)
            return
        try:
            here = asyncio.get_running_loop()
            soon = here.call_soon
        except RuntimeError:  # a thread without a loop
            here, soon = loop, loop.call_soon_threadsafe
        calls = self._loops[here]
        if len(calls.ended) >= self._most:
            self._drops.add(FULL)
            return
        calls.ended.append(Ended(call, reply, reason, begun, ended))
        if calls.seen_to:
            return
        calls.seen_to = True
        try:
            soon(self._make, here)
        except RuntimeError:  # the loop has been closed in the meantime
            self._drops.add(STOPPED)

    def _make(self, loop: asyncio.AbstractEventLoop, most: int = _TURN) -> None:
        """Make the records of so many calls of a loop that have ended; then others have their turn.

        Called by that loop, so that its records stay in order; by the sink's at the stop.
        """
        calls = self._loops[loop]
        calls.seen_to = False  # before the first is taken, so that none that comes now is forgotten
        now = self._clock.monotonic()
        while calls.ended and most:
            most -= 1
            self._make_one(calls.ended.popleft(), now)
        if calls.ended and self._loop is not None:
            calls.seen_to = True
            loop.call_soon(self._make, loop)
        self._delivery.tell()

    def _make_one(self, ended: Ended, now: float) -> None:
        if self._waiting.full or self._delivery.stopped:
            self._drops.add(STOPPED if self._delivery.stopped else FULL)
            return
        try:
            record = self._writer.write(ended)
        except Exception:  # noqa: BLE001 - a defect costs one record, not all that follow
            self._log.exception("a call of %s cannot be recorded", ended.call.operation.name)
            self._drops.add(BROKEN)
            return
        if not self._waiting.put(record, now):
            self._drops.add(FULL)
