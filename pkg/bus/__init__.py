"""Messages between services: sent, consumed, tried again, given up, replayed.

The ports are `Producer` and `Source`. Adapters are imported by their modules: `pkg.bus.kafka` for
Kafka, `pkg.bus.valkey` for streams of Redis or Valkey, `pkg.bus.memory` for tests.
"""

from pkg.bus.chain import Handler, Step, compose, step
from pkg.bus.errors import (
    BufferFullError,
    BusError,
    DeliveryError,
    LostPartitionError,
    PoisonError,
    RejectedError,
    UnavailableError,
    UnknownHandlersError,
)
from pkg.bus.message import MESSAGE_ID, Header, Message, Partition, Received, identified
from pkg.bus.metrics import ConsumerMetrics, PublisherMetrics
from pkg.bus.ports import Producer, Rebalance, Source
from pkg.bus.processor import Processor
from pkg.bus.publisher import Publisher
from pkg.bus.settings import (
    BusSettings,
    KafkaSettings,
    PublishSettings,
    RetrySettings,
    StreamSettings,
    SubscriptionSettings,
)
from pkg.bus.subscriptions import Bus, processors
from pkg.bus.trace import Extract, Inject, TracedProducer

__all__ = [
    "MESSAGE_ID",
    "BufferFullError",
    "Bus",
    "BusError",
    "BusSettings",
    "ConsumerMetrics",
    "DeliveryError",
    "Extract",
    "Handler",
    "Header",
    "Inject",
    "KafkaSettings",
    "LostPartitionError",
    "Message",
    "Partition",
    "PoisonError",
    "Processor",
    "Producer",
    "PublishSettings",
    "Publisher",
    "PublisherMetrics",
    "Rebalance",
    "Received",
    "RejectedError",
    "RetrySettings",
    "Source",
    "Step",
    "StreamSettings",
    "SubscriptionSettings",
    "TracedProducer",
    "UnavailableError",
    "UnknownHandlersError",
    "compose",
    "identified",
    "processors",
    "step",
]
