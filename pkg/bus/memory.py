"""A bus in the memory of one process and one event loop: for tests.

What it keeps is bounded like the streams are: beyond `max_length` of a partition, what every group
has committed is dropped, and if that makes no room, messages are not taken.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING

from pkg.bus.errors import BusError, DeliveryError, RejectedError, UnavailableError
from pkg.bus.memory_source import MemorySource
from pkg.bus.message import Message, Partition, Received

if TYPE_CHECKING:
    from pkg.bus.settings import Begin
    from pkg.clock import Clock


class MemoryBus:
    """A `Producer` and a `Bus`."""

    def __init__(
        self,
        *,
        clock: Clock,
        partitions: int = 4,
        max_length: int = 100_000,
        max_message: int = 1 << 20,
    ) -> None:
        """Begin with nothing.

        Args:
            clock: tells when a message was sent.
            partitions: of every topic.
            max_length: messages of a partition.
            max_message: bytes; larger ones are rejected.
        """
        self._clock = clock
        self._partitions = partitions
        self._max_length = max_length
        self._max_message = max_message
        self._next: defaultdict[Partition, int] = defaultdict(int)
        self._sent = 0
        self.kept: defaultdict[Partition, list[Received]] = defaultdict(list)
        """What lies in each partition."""
        self.positions: defaultdict[tuple[str, Partition], int] = defaultdict(int)
        """What each group has committed of each partition."""
        self.members: defaultdict[tuple[str, str], list[MemorySource]] = defaultdict(list)
        """Of each group, for each topic."""
        self.away = False
        """While it is set, nothing answers."""
        self.changed = asyncio.Condition()
        """Notified when messages have come, or partitions have moved."""
        self.moving: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def partitions(self, topic: str) -> tuple[Partition, ...]:
        """Those of a topic."""
        return tuple(Partition(topic, number) for number in range(self._partitions))

    def source(self, topic: str, group: str, *, begin: Begin = "earliest") -> MemorySource:
        """A member of a group, not open yet."""
        return MemorySource(self, topic, group, begin)

    def messages(self, topic: str) -> list[Message]:
        """What lies in a topic, partition by partition."""
        return [each.message for where in self.partitions(topic) for each in self.kept[where]]

    def end(self, partition: Partition) -> int:
        """The offset that the next message will have."""
        return self._next[partition]

    def first(self, partition: Partition) -> int:
        """The offset of the first that is kept."""
        kept = self.kept[partition]
        return kept[0].offset if kept else self._next[partition]

    async def send(self, *messages: Message) -> None:
        """Keep these."""
        failures: list[tuple[Message, BusError]] = []
        for each in messages:
            try:
                self._keep(each)
            except BusError as error:
                failures.append((each, error))
        async with self.changed:
            self.changed.notify_all()
        if failures:
            raise DeliveryError(failures)

    def answer(self) -> None:
        """Return unless the bus is away.

        Raises:
            UnavailableError: it is.
        """
        if self.away:
            raise UnavailableError("the bus is away")

    def _keep(self, message: Message) -> None:
        self.answer()
        if message.size > self._max_message:
            raise RejectedError(f"{message.size} bytes are more than {self._max_message}")
        key = message.key
        self._sent += 1
        number = (self._sent if key is None else zlib.crc32(key)) % self._partitions
        where = Partition(message.topic, number)
        kept = self.kept[where]
        if len(kept) >= self._max_length:
            self._trim(where)
        if len(kept) >= self._max_length:
            raise UnavailableError(f"{where} is full: a group has not committed its messages")
        offset = self._next[where]
        self._next[where] += 1
        kept.append(
            Received(message=message, partition=number, offset=offset, timestamp=self._clock.now())
        )

    def _trim(self, where: Partition) -> None:
        kept = self.kept[where]
        positions = [at for (_, partition), at in self.positions.items() if partition == where]
        lowest = min(positions, default=kept[0].offset + 1)
        kept[:] = [each for each in kept if each.offset >= lowest]
