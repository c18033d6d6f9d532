"""A member of a consumer group on streams. See `pkg.bus.valkey_member` for who reads what."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from pkg.bus.errors import LostPartitionError, UnavailableError
from pkg.bus.message import Partition
from pkg.bus.valkey_entry import offset_of, received_of
from pkg.bus.valkey_keys import Keys, next_field
from pkg.bus.valkey_member import Membership

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import timedelta

    from redis.asyncio import Redis

    from pkg.bus.message import Received
    from pkg.bus.ports import Rebalance
    from pkg.bus.settings import Begin, StreamSettings

_LONGEST_BLOCK: Final = 0.25
"""Seconds that one command may wait: below the client's timeout, and little for one that is
resumed meanwhile."""


class ValkeySource:
    """A `Source`. `ValkeyBus` makes it."""

    def __init__(
        self,
        client: Redis,
        settings: StreamSettings,
        *,
        topic: str,
        group: str,
        begin: Begin,
        member: str,
    ) -> None:
        """`member`: a name that no other has."""
        self._client: Any = client
        self._topic = topic
        self._group = group
        self._keys = Keys(settings.prefix, topic)
        self._member = Membership(
            client, settings, topic=topic, group=group, begin=begin, member=member
        )
        self._paused: set[int] = set()

    async def open(self, rebalance: Rebalance) -> None:
        """Join, and take what is free."""
        try:
            with _unavailable():
                await self._member.join(_Forgetful(rebalance, self._paused))
        except BaseException:
            await self.close()
            raise

    async def poll(self, wait: timedelta, limit: int) -> Sequence[Received]:
        """Read; the limit is one of each partition."""
        member = self._member
        if member.failure is not None:
            raise UnavailableError(f"the membership is lost: {member.failure}")
        asked = {
            number: position for number, position in member.owned.items() if self._reads(number)
        }
        seconds = min(wait.total_seconds(), _LONGEST_BLOCK)
        if not asked:
            member.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await member.changed.wait()
            return ()
        streams = {self._keys.stream(number): number for number in asked}
        with _unavailable():
            answer = await self._client.xread(
                {name: f"{asked[number] - 1}-0" for name, number in streams.items()},
                count=limit,
                block=max(1, round(seconds * 1000)),
            )
        found: list[Received] = []
        for name, entries in _by_stream(answer):
            number = streams[name]
            # While we waited it may have gone, been paused, or been set to another place.
            if member.owned.get(number) == asked[number] and self._reads(number):
                member.owned[number] = offset_of(entries[-1][0]) + 1
                found += (received_of(self._topic, number, *each) for each in entries)
        return found

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Note what the group is done with, where the partitions are still ours."""
        with _unavailable():
            lost = await self._member.commit(
                {each.number: position for each, position in positions.items()}
            )
        if lost:
            raise LostPartitionError(f"not ours any more: {self._topic}/{sorted(lost)}")

    def pause(self, partition: Partition) -> None:
        """Leave it out."""
        self._paused.add(partition.number)

    def resume(self, partition: Partition) -> None:
        """Read from it again."""
        self._paused.discard(partition.number)
        self._member.changed.set()

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from there."""
        if partition.number not in self._member.owned:
            raise LostPartitionError(f"{partition} is not ours")
        self._member.owned[partition.number] = offset

    async def lag(self) -> Mapping[Partition, int]:
        """What lies beyond what the group has committed."""
        numbers = list(self._member.owned)
        with _unavailable():
            async with self._client.pipeline(transaction=False) as pipe:
                for number in numbers:
                    pipe.hget(self._keys.meta, next_field(number))
                    pipe.hget(self._keys.positions(number), self._group)
                answers = await pipe.execute()
        return {
            Partition(self._topic, number): max(0, int(last or 0) + 1 - int(position or 1))
            for number, last, position in zip(numbers, answers[::2], answers[1::2], strict=True)
        }

    async def close(self) -> None:
        """Leave."""
        await self._member.leave()

    def _reads(self, number: int) -> bool:
        return number not in self._paused and self._member.reads(number)


class _Forgetful:
    """Tells a `Rebalance`, and forgets that what went was paused."""

    def __init__(self, rebalance: Rebalance, paused: set[int]) -> None:
        self._rebalance = rebalance
        self._paused = paused

    async def assigned(self, partitions: Collection[Partition]) -> None:
        await self._rebalance.assigned(partitions)

    async def revoked(self, partitions: Collection[Partition]) -> None:
        await self._rebalance.revoked(partitions)
        self._paused -= {each.number for each in partitions}


def _by_stream(answer: Any) -> Iterator[tuple[str, Any]]:
    """What XREAD found; its form differs between the versions of the protocol."""
    if isinstance(answer, dict):
        for name, batches in answer.items():
            yield name.decode(), [entry for batch in batches for entry in batch]
    else:
        for name, entries in answer or ():
            yield name.decode(), entries


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise UnavailableError(f"{type(error).__name__}: {error}") from error
