"""Sends what nobody waits for.

`publish` returns as soon as the message is in a bounded buffer; from there it is sent in order, in
batches, and again and again while the bus is away. A full buffer makes `publish` wait, and after a
while refuse. So a message is delivered, or refused to who published it, or it is counted in
`bus_publish_failed_total` as `rejected` or `lost`, logged, and alerted: nothing vanishes silently.
What the process must not lose even when it is killed goes through `pkg.outbox` instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pkg.alert import Alert
from pkg.bus.buffer import Buffer
from pkg.bus.errors import BufferFullError, DeliveryError, UnavailableError
from pkg.bus.message import identified
from pkg.bus.tasks import end
from pkg.bus.trace import Inject, no_trace, traced
from pkg.clock import Pause, pause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.alert import Alerts
    from pkg.backoff import Backoff
    from pkg.bus.errors import BusError
    from pkg.bus.message import Message
    from pkg.bus.metrics import PublisherMetrics
    from pkg.bus.ports import Producer
    from pkg.bus.settings import PublishSettings
    from pkg.tokens import Tokens

_LOG: Final = logging.getLogger(__name__)

UNAVAILABLE: Final = "unavailable"
REJECTED: Final = "rejected"
LOST: Final = "lost"


class Publisher:
    """A component. Belongs to its producer's event loop; start it after the producer."""

    name = "bus-publisher"

    def __init__(
        self,
        producer: Producer,
        settings: PublishSettings,
        *,
        backoff: Backoff,
        metrics: PublisherMetrics,
        alerts: Alerts,
        tokens: Tokens,
        inject: Inject = no_trace,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            producer: delivers.
            settings: the bounds.
            backoff: before what was not delivered is sent again.
            metrics: of what is published.
            alerts: told of an outage when it begins, and of every loss, as topic `kafka`.
            tokens: make the ids of messages that have none.
            inject: see `pkg.bus.trace`.
            pause: waits.
            logger: told what happens.
        """
        self._producer = producer
        self._settings = settings
        self._backoff = backoff
        self._metrics = metrics
        self._alerts = alerts
        self._tokens = tokens
        self._inject = inject
        self._pause = pause
        self._log = logger
        self._buffer = Buffer(most=settings.buffer, most_bytes=settings.buffer_bytes)
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def stop(self) -> None:
        """Deliver what waits, within the flush time. What is left then is lost, and told."""
        task, self._task = self._task, None
        if task is None:
            return
        await self._buffer.close()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.flush.total_seconds()):
                    await self._buffer.empty()
        finally:
            await end([task])
            self._tell_lost()

    async def check(self) -> None:
        """Return while what is published is delivered.

        Raises:
            UnavailableError: it is not, but waits; says why.
        """
        if self._trouble:
            raise UnavailableError(f"{len(self._buffer)} messages wait: {self._trouble}")

    async def publish(self, message: Message) -> None:
        """Take a message, as soon as there is room; it is given an id and the trace context.

        Raises:
            BufferFullError: there was no room within the wait time.
            RejectedError: it is larger than the buffer.
            UnavailableError: the publisher does not run.
        """
        if self._task is None:
            raise UnavailableError("the publisher does not run")
        message = traced(identified(message, self._tokens), self._inject)
        try:
            await self._buffer.put(message, self._settings.wait)
        except BufferFullError:
            self._metrics.refused.labels(message.topic).inc()
            raise
        self._metrics.buffered.set(len(self._buffer))

    async def _work(self) -> None:
        failures = 0
        while True:
            batch = await self._buffer.first(self._settings.batch)
            left = await self._send(batch)
            await self._buffer.settle(len(batch), left)
            self._metrics.buffered.set(len(self._buffer))
            failures = failures + 1 if left else 0
            if left:
                await self._pause(self._backoff.wait(failures))

    async def _send(self, batch: Sequence[Message]) -> Sequence[Message]:
        """Send once; what is left to be sent again."""
        try:
            await self._producer.send(*batch)
        except DeliveryError as error:
            rejected: Sequence[tuple[Message, BusError]] = error.rejected
            left: Sequence[Message] = error.unavailable
            for message, why in rejected:
                self._give_up(message, why)
            if left:
                self._ill(error, left)
        except Exception as error:  # noqa: BLE001 - a defect must not end the delivery
            rejected, left = (), batch
            self._ill(error, left)
        else:
            rejected, left = (), ()
        failed = Counter(each.topic for each in (*left, *(message for message, _ in rejected)))
        for topic, count in (Counter(each.topic for each in batch) - failed).items():
            self._metrics.published.labels(topic).inc(count)
        if not left:
            self._well()
        return left

    def _ill(self, error: Exception, left: Sequence[Message]) -> None:
        for topic, count in Counter(each.topic for each in left).items():
            self._metrics.failed.labels(topic, UNAVAILABLE).inc(count)
        if not self._trouble:
            self._log.warning("messages are not delivered, and sent again: %s", error)
            title = "messages are not delivered, and wait"
            self._alerts.send(Alert(topic="kafka", title=title, detail=str(error)))
        self._trouble = str(error)

    def _well(self) -> None:
        if self._trouble:
            self._log.info("messages are delivered again")
        self._trouble = ""

    def _give_up(self, message: Message, why: BusError) -> None:
        self._metrics.failed.labels(message.topic, REJECTED).inc()
        self._log.error("a message for %s was rejected: %s", message.topic, why)
        title = f"messages for {message.topic} are rejected"
        self._alerts.send(Alert(topic="kafka", title=title, detail=str(why)))

    def _tell_lost(self) -> None:
        lost = self._buffer.topics()
        for topic, count in lost.items():
            self._metrics.failed.labels(topic, LOST).inc(count)
        if lost:
            detail = ", ".join(f"{count} for {topic}" for topic, count in sorted(lost.items()))
            self._log.error("messages were lost at the stop: %s", detail)
            title = "messages were lost at the stop"
            self._alerts.send(Alert(topic="kafka", title=title, detail=detail))
