"""Sends to Kafka: idempotent, acknowledged by all replicas that are in sync, in batches.

The client repeats what is not acknowledged, without duplicates, for as long as the delivery
timeout lasts. Then the message is undelivered: the client is thrown away with all that it holds,
so that nothing arrives behind the back of who sends it again. What was on its way at that moment
may be on the bus, and comes twice if it is sent again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pkg.bus.errors import BusError, DeliveryError, RejectedError, UnavailableError
from pkg.bus.kafka_client import connection_options, meaning, require_codec, translated
from pkg.bus.kafka_closing import close_producer
from pkg.bus.kafka_source import KafkaSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.bus.message import Message
    from pkg.bus.settings import Begin, KafkaSettings


class KafkaBus:
    """A `Bus` on Kafka. Keeps nothing open itself."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def source(self, topic: str, group: str, *, begin: Begin = "earliest") -> KafkaSource:
        """A member of a group, not open yet."""
        return KafkaSource(self._settings, topic=topic, group=group, begin=begin)


class KafkaProducer:
    """A `Producer`, as a component. Starts though Kafka is away, and connects when it is there.

    Belongs to the event loop that starts it. May be used by many tasks at once.
    """

    def __init__(self, settings: KafkaSettings, *, name: str = "kafka") -> None:
        """Prepare.

        Raises:
            ValueError: the URL is missing or none, or the library for the compression is.
        """
        self.name = name
        self._settings = settings
        self._options = connection_options(settings)
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._trouble = "not connected yet"
        self._stopped = False
        require_codec(settings.compression)

    async def start(self) -> None:
        """Try to connect. A cluster that is away is tried again with each message and check."""
        with suppress(BusError):
            await self._connected()

    async def stop(self) -> None:
        """Deliver what is under way, within the delivery timeout, and close the connections."""
        self._stopped = True
        client, self._client = self._client, None
        if client is not None:
            await close_producer(client, self._settings, flush=self._settings.delivery_timeout)

    async def check(self) -> None:
        """Return while messages are delivered.

        Raises:
            UnavailableError: the last one was not, or there is no connection.
        """
        if self._client is None:
            await self._connected()
        if self._trouble:
            raise UnavailableError(self._trouble)

    async def send(self, *messages: Message) -> None:
        """Send these together."""
        outcomes: list[BaseException | None]
        client = None
        try:
            async with asyncio.timeout(self._settings.delivery_timeout.total_seconds()):
                client = await self._connected()
                outcomes = await _delivered(client, messages)
        except TimeoutError as error:
            outcomes = [error] * len(messages)
        except (BusError, KafkaError, OSError) as error:
            outcomes = [error] * len(messages)
        failures = [
            (message, outcome if isinstance(outcome, BusError) else meaning(outcome))
            for message, outcome in zip(messages, outcomes, strict=True)
            if outcome is not None
        ]
        broken = [why for _, why in failures if not isinstance(why, RejectedError)]
        self._trouble = str(broken[0]) if broken else ""
        if broken and client is not None:
            await self._discard(client)
        if failures:
            raise DeliveryError(failures)

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._stopped:
                raise UnavailableError("the producer has stopped")
            if self._client is None:
                try:
                    self._client = await self._connect()
                except BusError as error:
                    self._trouble = str(error)
                    raise
                self._trouble = ""
            return self._client

    async def _connect(self) -> Any:
        settings = self._settings
        client = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            acks="all",
            compression_type=None if settings.compression == "none" else settings.compression,
            linger_ms=round(settings.linger.total_seconds() * 1000),
            max_batch_size=int(settings.batch),
            max_request_size=int(settings.max_message),
            request_timeout_ms=round(settings.request_timeout.total_seconds() * 1000),
        )
        try:
            with translated():
                async with asyncio.timeout(settings.connect_timeout.total_seconds()):
                    await client.start()
        except BaseException:
            await close_producer(client, self._settings, flush=timedelta())
            raise
        return client

    async def _discard(self, client: Any) -> None:
        if self._client is client:  # else another task has done it
            self._client = None
            await close_producer(client, self._settings, flush=timedelta())


async def _delivered(client: Any, messages: Sequence[Message]) -> list[BaseException | None]:
    """Hand over in order, then wait for all; what became of each."""
    waits: list[asyncio.Future[object] | BaseException] = []
    for each in messages:
        try:
            waits.append(
                await client.send(
                    each.topic, value=each.value, key=each.key, headers=list(each.headers)
                )
            )
        except (KafkaError, OSError) as error:
            waits.append(error)
        except asyncio.CancelledError:
            for wait in waits:
                if isinstance(wait, asyncio.Future):
                    wait.cancel()  # nobody will hear what becomes of it
            raise
    pending = [wait for wait in waits if not isinstance(wait, BaseException)]
    results = iter(await asyncio.gather(*pending, return_exceptions=True))
    outcomes: list[BaseException | None] = []
    for wait in waits:
        result = wait if isinstance(wait, BaseException) else next(results)
        outcomes.append(result if isinstance(result, BaseException) else None)
    return outcomes
