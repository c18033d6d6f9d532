"""The bus of a process: Kafka where it is configured, else streams of its Redis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pkg.app import Component
    from pkg.bus import Bus, BusSettings, Producer
    from pkg.tokens import Tokens


@dataclass(frozen=True, slots=True)
class ServiceBus:
    """What sends to the bus, and what reads from it, in one event loop."""

    producer: Producer
    bus: Bus
    components: tuple[Component, ...] = ()
    """To be started before whatever sends."""


def service_bus(settings: BusSettings, redis: Redis, tokens: Tokens) -> ServiceBus:
    """The bus of the loop that `redis` belongs to. Nothing is opened yet.

    Raises:
        ValueError: Kafka is configured in a way that cannot be used.
    """
    if settings.kafka.url is not None:
        from pkg.bus.kafka import KafkaBus, KafkaProducer  # only who has Kafka pays for it

        producer = KafkaProducer(settings.kafka)
        return ServiceBus(producer, KafkaBus(settings.kafka), (producer,))
    from pkg.bus.valkey import ValkeyBus

    streams = ValkeyBus(redis, settings.streams, tokens=tokens)
    return ServiceBus(streams, streams)
