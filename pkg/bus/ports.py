"""The ports: who sends to a bus, and who reads a topic of it as a member of a group."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import timedelta

    from pkg.bus.message import Message, Partition, Received


class Producer(Protocol):
    """Sends, and waits until what it sent is stored."""

    async def send(self, *messages: Message) -> None:
        """Return when the bus has stored all of these, those with the same key in this order.

        Ends within a bound that the adapter is told. If it is cancelled, the messages may be on
        the bus.

        Raises:
            DeliveryError: which are not known to be stored. Nothing tries on after this.
        """
        ...


class Rebalance(Protocol):
    """Told when partitions come and go."""

    async def assigned(self, partitions: Collection[Partition]) -> None:
        """These are ours from now on, and will be read from where the group has committed to."""
        ...

    async def revoked(self, partitions: Collection[Partition]) -> None:
        """These are ours until this returns: commit what is done, and begin nothing new."""
        ...


class Source(Protocol):
    """A member of a consumer group, reading one topic. Opened once, and used by one task.

    Each partition belongs to one member of the group at a time. What was read and not committed
    is read again by whoever owns the partition next.
    """

    async def open(self, rebalance: Rebalance) -> None:
        """Join the group. Partitions come by and by; `rebalance` is told.

        Raises:
            UnavailableError: the bus does not answer. Nothing is left open.
        """
        ...

    async def poll(self, wait: timedelta, limit: int) -> Sequence[Received]:
        """What comes next in the partitions that are ours and not paused, each in order.

        Args:
            wait: returns nothing if nothing comes for so long.
            limit: about how many at most.

        Raises:
            UnavailableError: the bus does not answer; close this source and open another.
        """
        ...

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Have the group begin there next time: at the offset after the last that is done.

        Raises:
            LostPartitionError: one of these is not ours any more.
            UnavailableError: it may not have been committed.
        """
        ...

    def pause(self, partition: Partition) -> None:
        """Read nothing from it until it is resumed. It stays ours."""
        ...

    def resume(self, partition: Partition) -> None:
        """Read from it again. Does nothing to one that is not paused, or not ours."""
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from this offset.

        Raises:
            LostPartitionError: it is not ours.
        """
        ...

    async def lag(self) -> Mapping[Partition, int]:
        """How many messages of each partition that is ours the group has not committed yet.

        Raises:
            UnavailableError: it cannot be told.
        """
        ...

    async def close(self) -> None:
        """Leave the group at once, without a call of `revoked`. Never raises for a bus gone."""
        ...


Sources = Callable[[str, str], Source]
"""Makes a source for a topic and a group."""
