"""One message: tried, tried again, and given up."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkg.alert import Alert
from pkg.bus.dead_letter import STACK, dead_letter
from pkg.bus.errors import DeliveryError, PoisonError
from pkg.bus.tasks import first
from pkg.bus.trace import Extract, carrier_of, no_scope

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.alert import Alerts
    from pkg.backoff import Backoff
    from pkg.bus.chain import Handler
    from pkg.bus.message import Message, Received
    from pkg.bus.metrics import ConsumerMetrics
    from pkg.bus.ports import Producer
    from pkg.bus.settings import SubscriptionSettings
    from pkg.clock import Clock, Pause

_LOG: Final = logging.getLogger(__name__)


class Attempts:
    """What a subscription does with a message, until it is done with it."""

    def __init__(
        self,
        subscription: SubscriptionSettings,
        handler: Handler,
        *,
        producer: Producer,
        backoff: Backoff,
        metrics: ConsumerMetrics,
        alerts: Alerts,
        clock: Clock,
        pause: Pause,
        extract: Extract = no_scope,
        logger: logging.Logger = _LOG,
    ) -> None:
        """`producer`: takes what is given up; `backoff`: between tries of either."""
        self._subscription = subscription
        self._handler = handler
        self._producer = producer
        self._backoff = backoff
        self._alerts = alerts
        self._clock = clock
        self._pause = pause
        self._extract = extract
        self._log = logger
        self._slots = asyncio.Semaphore(subscription.concurrency)
        self._timeout = subscription.timeout.total_seconds()
        labels = (subscription.topic, subscription.group)
        self._handled = metrics.handled.labels(*labels)
        self._failed = metrics.failed.labels(*labels)
        self._retried = metrics.retried.labels(*labels)
        self._dead = metrics.dead.labels(*labels)
        self._duration = metrics.duration.labels(*labels)
        self._in_flight = metrics.in_flight.labels(*labels)

    async def handle(self, received: Received, closing: asyncio.Event) -> bool:
        """Whether the message is done with: handled, or on the dead-letter topic.

        False when `closing` is set before that; it has to be read again then. While it waits for
        its next try it holds no place that another message could have.
        """
        failures = 0
        while True:
            async with self._slots:
                if closing.is_set():
                    return False
                error = await self._try(received)
            if error is None:
                self._handled.inc()
                return True
            failures += 1
            self._failed.inc()
            self._log.warning(
                "try %d of message %s failed: %s: %s",
                failures,
                received.id,
                type(error).__name__,
                error,
                extra=self._extra(received),
            )
            if isinstance(error, PoisonError) or (failures >= self._subscription.retry.attempts):
                return await self._bury(received, error, failures, closing)
            if not await self._waited(self._backoff.wait(failures), closing):
                return False
            self._retried.inc()

    async def _try(self, received: Received) -> BaseException | None:
        began = self._clock.monotonic()
        self._in_flight.inc()
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            with self._extract(carrier_of(received), received):
                async with asyncio.timeout_at(deadline):
                    await self._handler(replace(received, deadline=deadline))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return error  # something within was cancelled, not we
        except Exception as error:  # noqa: BLE001 - whatever it is, the message is tried again
            return error
        finally:
            self._in_flight.dec()
            self._duration.observe(self._clock.monotonic() - began)
        return None

    async def _bury(
        self, received: Received, error: BaseException, attempts: int, closing: asyncio.Event
    ) -> bool:
        subscription = self._subscription
        letter = dead_letter(
            received,
            subscription.dead_letter_topic,
            group=subscription.group,
            error=error,
            attempts=attempts,
        )
        if not await self._sent(letter, received, closing):
            return False
        self._dead.inc()
        self._log.error(
            "message %s was given up after %d tries",
            received.id,
            attempts,
            exc_info=error,
            extra=self._extra(received),
        )
        self._alerts.send(
            Alert(
                topic="kafka",
                title=f"messages of {subscription.topic} go to {letter.topic}",
                detail=f"{received.where}@{received.offset}: {type(error).__name__}: {error}",
            )
        )
        return True

    async def _sent(self, letter: Message, received: Received, closing: asyncio.Event) -> bool:
        """Send until it is taken, however long that lasts: the partition waits."""
        failures = 0
        while not closing.is_set():
            try:
                await self._producer.send(letter)
            except DeliveryError as error:
                failures += 1
                self._log.error(
                    "message %s cannot be dead-lettered yet: %s",
                    received.id,
                    error,
                    extra=self._extra(received),
                )
                if failures == 1:
                    self._alerts.send(
                        Alert(
                            topic="kafka",
                            title=f"{letter.topic} does not take messages",
                            detail=str(error),
                        )
                    )
                if error.rejected:
                    letter = letter.without({STACK})  # it may have made it too large
                await self._waited(self._backoff.wait(failures), closing)
            else:
                return True
        return False

    async def _waited(self, time: timedelta, closing: asyncio.Event) -> bool:
        """Wait; False as soon as `closing` is set."""
        await first(self._pause(time), closing.wait())
        return not closing.is_set()

    def _extra(self, received: Received) -> dict[str, object]:
        return {
            "topic": self._subscription.topic,
            "group": self._subscription.group,
            "partition": received.partition,
            "offset": received.offset,
        }
