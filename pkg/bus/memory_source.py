"""A member of a group of the bus in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pkg.bus.errors import LostPartitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from pkg.bus.memory import MemoryBus
    from pkg.bus.message import Partition, Received
    from pkg.bus.ports import Rebalance
    from pkg.bus.settings import Begin


class MemorySource:
    """A `Source`."""

    def __init__(self, bus: MemoryBus, topic: str, group: str, begin: Begin) -> None:
        self._bus = bus
        self._topic = topic
        self._group = group
        self._begin = begin
        self._rebalance: Rebalance | None = None
        self._positions: dict[Partition, int] = {}
        """Of the partitions that are ours: what is read next."""
        self._paused: set[Partition] = set()

    async def open(self, rebalance: Rebalance) -> None:
        """Join."""
        self._bus.answer()
        self._rebalance = rebalance
        self._members.append(self)
        await self._share()

    async def poll(self, wait: timedelta, limit: int) -> Sequence[Received]:
        """Read."""
        self._bus.answer()
        found = self._take(limit)
        if not found:
            try:
                async with asyncio.timeout(wait.total_seconds()), self._bus.changed:
                    await self._bus.changed.wait()
            except TimeoutError:
                pass
            self._bus.answer()
            found = self._take(limit)
        return found

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Note what the group is done with."""
        self._bus.answer()
        for partition, position in positions.items():
            self._require(partition)
            self._bus.positions[self._group, partition] = position

    def pause(self, partition: Partition) -> None:
        """Leave it out."""
        self._paused.add(partition)

    def resume(self, partition: Partition) -> None:
        """Read from it again."""
        self._paused.discard(partition)

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from there."""
        self._require(partition)
        self._positions[partition] = offset

    async def lag(self) -> Mapping[Partition, int]:
        """What lies beyond what the group has committed."""
        self._bus.answer()
        return {
            each: self._bus.end(each) - self._bus.positions[self._group, each]
            for each in self._positions
        }

    async def close(self) -> None:
        """Leave."""
        if self in self._members:
            self._members.remove(self)
            self._positions.clear()
            await self._share()

    @property
    def _members(self) -> list[MemorySource]:
        return self._bus.members[self._group, self._topic]

    def _take(self, limit: int) -> list[Received]:
        found: list[Received] = []
        for partition, position in list(self._positions.items()):
            if partition in self._paused:
                continue
            begin = max(0, position - self._bus.first(partition))
            new = self._bus.kept[partition][begin : begin + limit - len(found)]
            if new:
                self._positions[partition] = new[-1].offset + 1
                found += new
        return found

    def _require(self, partition: Partition) -> None:
        if partition not in self._positions:
            raise LostPartitionError(f"{partition} is not ours")

    async def _share(self) -> None:
        """Give every member its part: first all that goes, then all that comes."""
        async with self._bus.moving[self._group, self._topic]:
            members = list(self._members)
            shares = {
                member: set(self._bus.partitions(self._topic)[number :: len(members)])
                for number, member in enumerate(members)
            }
            for member, share in shares.items():
                await member._give(set(member._positions) - share)
            for member, share in shares.items():
                await member._get(share - set(member._positions))
        async with self._bus.changed:
            self._bus.changed.notify_all()

    async def _give(self, partitions: set[Partition]) -> None:
        if partitions and self._rebalance is not None:
            await self._rebalance.revoked(partitions)
        for each in partitions:
            self._positions.pop(each, None)
            self._paused.discard(each)

    async def _get(self, partitions: set[Partition]) -> None:
        for each in partitions:
            if (self._group, each) not in self._bus.positions:
                start = self._bus.first(each) if self._begin == "earliest" else self._bus.end(each)
                self._bus.positions[self._group, each] = start
            self._positions[each] = self._bus.positions[self._group, each]
        if partitions and self._rebalance is not None:
            await self._rebalance.assigned(partitions)
