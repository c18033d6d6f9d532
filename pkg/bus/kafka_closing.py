"""Closing clients of Kafka within a bound, whatever the cluster does.

By themselves they wait for it without end: the idempotent producer never gives a message up, and a
consumer wants to hear that it has left its group. What ends them all the same is inside of them,
and so are the private names here; aiokafka is locked at a version that has them.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import KafkaError

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.bus.settings import KafkaSettings

_LOG: Final = logging.getLogger(__name__)
_WRONG: Final = (KafkaError, OSError, TimeoutError)


async def close_producer(client: Any, settings: KafkaSettings, *, flush: timedelta) -> None:
    """Deliver what is under way within `flush`, then give up the rest and close."""
    seconds = settings.request_timeout.total_seconds() + 1
    with suppress(TimeoutError):
        async with asyncio.timeout(flush.total_seconds()):
            await client.flush()
    try:
        async with asyncio.timeout(seconds):
            await client._sender.close()
            _give_up(client._message_accumulator)
            await client.stop()
    except _WRONG as error:
        await _force(client.client, seconds, error)


async def close_consumer(consumer: Any, settings: KafkaSettings) -> None:
    """Leave the group and close."""
    seconds = settings.request_timeout.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            await consumer.stop()
    except _WRONG as error:
        await _force(consumer._client, seconds, error)


def _give_up(accumulator: Any) -> None:
    """Fail every batch, so that nothing waits for one."""
    waiting = [each for batches in accumulator._batches.values() for each in batches]
    # One that is to be sent again is not where its own callback takes it away from.
    accumulator._pending_batches.update(each for each in waiting if each.retry_count)
    accumulator.fail_all(KafkaError("given up"))
    for each in waiting:
        if each._drain_waiter.done():
            each._drain_waiter.exception()  # retrieved: perhaps nobody waits for it


async def _force(connections: Any, seconds: float, error: Exception) -> None:
    _LOG.warning("a Kafka client was not closed in order: %r", error)
    with suppress(*_WRONG):
        async with asyncio.timeout(seconds):
            await connections.close()
