"""What a service says of its bus."""
# The annotations below are read at run time, so they are not deferred.

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from pkg.backoff import BackoffSettings
from pkg.config import Duration, Secret, Settings
from pkg.config.bytesize import ByteSize

Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,200}$")]
"""Of a topic or a group: what Kafka allows."""

Begin = Literal["earliest", "latest"]

_NONE = timedelta()
SCHEMES = ("kafka://", "kafkas://")


class KafkaSettings(Settings):
    """A Kafka cluster."""

    url: Secret | None = None
    """`kafka://host:9092,other:9092`; `kafkas://` for TLS; `kafka://user:password@host` for SASL.
    Without it the service uses streams of its Redis or of the embedded Valkey."""
    ca: Path | None = None
    """PEM file with whom to trust; those of the system without."""
    sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "none"
    """All but gzip need the `cramjam` library; without it the start is refused."""
    linger: Duration = Field(default=timedelta(milliseconds=5), ge=_NONE, le=timedelta(seconds=1))
    """How long a batch waits for more messages."""
    batch: ByteSize = Field(default=ByteSize.parse("64KiB"), ge=1024)
    max_message: ByteSize = Field(default=ByteSize.parse("1MiB"), ge=1024)
    """Larger ones are rejected. Not above the `message.max.bytes` of the brokers."""
    delivery_timeout: Duration = Field(default=timedelta(seconds=30), gt=_NONE)
    """For a message to be stored. Within it the client repeats itself without duplicates."""
    connect_timeout: Duration = Field(default=timedelta(seconds=20), gt=_NONE)
    """To connect; for a consumer also to join its group, which has to wait for the `drain` of those
    that are in it."""
    request_timeout: Duration = Field(default=timedelta(seconds=5), gt=_NONE)
    """For a commit and for the lag."""
    session: Duration = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1))
    """A consumer that is not heard of for so long loses its partitions."""

    @field_validator("url")
    @classmethod
    def _is_one(cls, url: Secret | None) -> Secret | None:
        if url is not None and not url.get_secret_value().startswith(SCHEMES):
            raise ValueError(f"a Kafka URL starts with {' or '.join(SCHEMES)}")
        return url


class StreamSettings(Settings):
    """The bus on streams of Redis or Valkey."""

    prefix: Annotated[str, Field(min_length=1, max_length=100)] = "bus"
    """Of every key. On a cluster, give it a hash tag: `{bus}`."""
    partitions: Annotated[int, Field(ge=1, le=256)] = 4
    """Of topics that are new. What a topic has does not change."""
    max_length: Annotated[int, Field(ge=1)] = 100_000
    """Messages that a partition keeps. Beyond, what every group has committed is dropped; if that
    makes no room, messages are refused. A topic without any group keeps the newest."""
    max_message: ByteSize = Field(default=ByteSize.parse("1MiB"), ge=1024)
    session: Duration = Field(default=timedelta(seconds=10), ge=timedelta(milliseconds=100))
    """A consumer that is not heard of for so long loses its partitions."""
    heartbeat: Duration = Field(default=timedelta(seconds=1), ge=timedelta(milliseconds=10))

    @model_validator(mode="after")
    def _is_heard_in_time(self) -> Self:
        if self.heartbeat * 3 > self.session:
            raise ValueError("session must be three times heartbeat at least")
        return self


class PublishSettings(Settings):
    """The buffer of messages that nobody waits for."""

    buffer: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Messages."""
    buffer_bytes: ByteSize = Field(default=ByteSize.parse("64MiB"), ge=1024)
    wait: Duration = Field(default=timedelta(seconds=1), ge=_NONE)
    """For room in the buffer; then the message is refused."""
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Messages that are sent together."""
    flush: Duration = Field(default=timedelta(seconds=10), gt=_NONE)
    """At the stop, for what waits; then it is lost, and counted."""
    backoff: BackoffSettings = BackoffSettings()


class RetrySettings(Settings):
    """How often a message is tried."""

    attempts: Annotated[int, Field(ge=1, le=1000)] = 5
    """The first included. Then the message is dead-lettered."""
    backoff: BackoffSettings = BackoffSettings()


class SubscriptionSettings(Settings):
    """A topic, and what is done with its messages."""

    topic: Name
    func: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of handlers, in the order in which they are called."""
    group: Name
    """Who shares the messages. Subscriptions to different topics should have different groups."""
    begin: Begin = "earliest"
    """Where a group that has never committed begins."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 8
    """Messages in handlers at a time, of all partitions."""
    lanes: Annotated[int, Field(ge=1, le=100)] = 1
    """Of each partition. One keeps the order of the partition; with more, messages with different
    keys are handled side by side, and those with the same key stay in order."""
    prefetch: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Messages of a partition that wait in the process; beyond, it is paused."""
    timeout: Duration = Field(default=timedelta(seconds=30), gt=_NONE)
    """For one try."""
    retry: RetrySettings = RetrySettings()
    dead_letter: Name | None = None
    """The topic for messages that are given up; `<topic>.dead` without."""
    commit_every: Duration = Field(default=timedelta(milliseconds=200), gt=_NONE)
    """The shortest time between two commits."""
    lag_every: Duration = Field(default=timedelta(seconds=5), gt=_NONE)
    """How often the lag is measured, by which an outage of the bus is noticed too."""
    drain: Duration = Field(default=timedelta(seconds=5), gt=_NONE)
    """For messages in hand, when their partition goes or the process stops."""

    @property
    def dead_letter_topic(self) -> str:
        """Where messages go that are given up."""
        return self.dead_letter or f"{self.topic}.dead"

    @model_validator(mode="after")
    def _buries_elsewhere(self) -> Self:
        if self.dead_letter_topic == self.topic:
            raise ValueError("the dead-letter topic is the topic itself")
        return self


class BusSettings(Settings):
    """Everything about the bus."""

    kafka: KafkaSettings = KafkaSettings()
    streams: StreamSettings = StreamSettings()
    publish: PublishSettings = PublishSettings()
    consumer: tuple[SubscriptionSettings, ...] = ()

    @field_validator("consumer")
    @classmethod
    def _subscribes_once(cls, all_: Sequence[SubscriptionSettings]) -> object:
        counts = Counter((each.topic, each.group) for each in all_)
        twice = [f"{topic} by {group}" for (topic, group), count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"subscribed to more than once: {', '.join(twice)}")
        return all_
