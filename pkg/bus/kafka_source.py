"""A member of a consumer group of Kafka."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from pkg.bus.errors import LostPartitionError
from pkg.bus.kafka_client import connection_options, translated
from pkg.bus.kafka_closing import close_consumer
from pkg.bus.message import Message, Partition, Received

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import timedelta

    from pkg.bus.ports import Rebalance
    from pkg.bus.settings import Begin, KafkaSettings

_REBALANCE: Final = 30_000
"""Milliseconds that members get to let partitions go; more than any drain time should be."""


class KafkaSource:
    """A `Source`. `KafkaBus` makes it."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        topic: str,
        group: str,
        begin: Begin,
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._group = group
        self._begin = begin
        self._consumer: Any = None
        self._committed: dict[TopicPartition, int] = {}

    async def open(self, rebalance: Rebalance) -> None:
        """Join, and wait for partitions; there may be none for us."""
        session = round(self._settings.session.total_seconds() * 1000)
        self._consumer = AIOKafkaConsumer(
            **connection_options(self._settings),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset=self._begin,
            session_timeout_ms=session,
            heartbeat_interval_ms=max(1, session // 6),
            rebalance_timeout_ms=_REBALANCE,
            # The answer to a request to join comes when all members have let go.
            request_timeout_ms=_REBALANCE + 5_000,
            max_partition_fetch_bytes=int(self._settings.max_message),
        )
        self._consumer.subscribe([self._topic], listener=_Listener(rebalance, self._committed))
        try:
            with translated():
                async with asyncio.timeout(self._settings.connect_timeout.total_seconds()):
                    await self._consumer.start()
        except BaseException:
            await self.close()
            raise

    async def poll(self, wait: timedelta, limit: int) -> Sequence[Received]:
        """Read."""
        with translated():
            found = await self._consumer.getmany(
                timeout_ms=round(wait.total_seconds() * 1000), max_records=limit
            )
        return [_received(each) for records in found.values() for each in records]

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Note what the group is done with."""
        offsets = {_native(each): position for each, position in positions.items()}
        with translated():
            async with asyncio.timeout(self._settings.request_timeout.total_seconds()):
                await self._consumer.commit(offsets)
        self._committed |= offsets

    def pause(self, partition: Partition) -> None:
        """Leave it out."""
        with suppress(IllegalStateError):  # not ours any more
            self._consumer.pause(_native(partition))

    def resume(self, partition: Partition) -> None:
        """Read from it again."""
        with suppress(IllegalStateError):
            self._consumer.resume(_native(partition))

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from there."""
        try:
            self._consumer.seek(_native(partition), offset)
        except IllegalStateError as error:
            raise LostPartitionError(f"{partition} is not ours") from error

    async def lag(self) -> Mapping[Partition, int]:
        """What lies beyond what the group has committed, or beyond where it begins."""
        with translated():
            async with asyncio.timeout(self._settings.request_timeout.total_seconds()):
                ours = self._consumer.assignment()
                last = await self._consumer.end_offsets(ours) if ours else {}
                for each in ours - self._committed.keys():
                    self._committed.setdefault(each, await self._start(each))
        return {
            Partition(each.topic, each.partition): max(0, end - self._committed.get(each, end))
            for each, end in last.items()
        }

    async def _start(self, native: TopicPartition) -> int:
        """Where the group begins, as far as it can be told."""
        committed = await self._consumer.committed(native)
        if committed is not None:
            return int(committed)
        if self._begin == "latest":
            return int(await self._consumer.position(native))
        return int((await self._consumer.beginning_offsets([native]))[native])

    async def close(self) -> None:
        """Leave."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await close_consumer(consumer, self._settings)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # the library has no types
    """Tells a `Rebalance`. Heartbeats go on meanwhile."""

    def __init__(self, rebalance: Rebalance, committed: dict[TopicPartition, int]) -> None:
        self._rebalance = rebalance
        self._committed = committed

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if revoked:
            await self._rebalance.revoked([Partition(*each) for each in revoked])
        self._committed.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        if assigned:
            await self._rebalance.assigned([Partition(*each) for each in assigned])


def _native(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.number)


def _received(record: Any) -> Received:
    return Received(
        message=Message(
            topic=record.topic,
            value=record.value or b"",
            key=record.key,
            headers=tuple((name, value or b"") for name, value in record.headers),
        ),
        partition=record.partition,
        offset=record.offset,
        timestamp=datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
