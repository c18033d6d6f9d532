"""A member of a consumer group on streams.

Members say that they are alive, and each works out by itself which partitions are whose: they are
dealt out in the order of the members' names. Who has one that is another's by now finishes with it
and lets it go; who lacks one takes it as soon as it is free. A partition of a member that is not
heard of becomes free when its session has passed. Every commit checks whose the partition is, so
that a member that was only slow cannot move what is another's.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from pkg.bus import valkey_scripts
from pkg.bus.errors import LostPartitionError, UnavailableError
from pkg.bus.message import Partition
from pkg.bus.tasks import end
from pkg.bus.valkey_keys import Keys, next_field, offset_of, received_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from redis.asyncio import Redis

    from pkg.bus.message import Received
    from pkg.bus.ports import Rebalance
    from pkg.bus.settings import Begin, StreamSettings

_LOG: Final = logging.getLogger(__name__)
_MILLISECOND: Final = timedelta(milliseconds=1)
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
        logger: logging.Logger = _LOG,
    ) -> None:
        """`member`: a name that no other has."""
        self._client: Any = client
        self._settings = settings
        self._topic = topic
        self._group = group
        self._begin = begin
        self._member = member
        self._log = logger
        self._keys = Keys(settings.prefix, topic)
        self._session = settings.session // _MILLISECOND
        self._scripts = Scripts(self._client)
        self._count = 0
        self._rebalance: Rebalance | None = None
        self._owned: dict[int, int] = {}
        """Partition -> what is read next."""
        self._leaving: set[int] = set()
        self._paused: set[int] = set()
        self._changed = asyncio.Event()
        self._heart: asyncio.Task[None] | None = None
        self._partings: set[asyncio.Task[None]] = set()
        self._failure: Exception | None = None

    async def open(self, rebalance: Rebalance) -> None:
        """Join, and take what is free."""
        self._rebalance = rebalance
        try:
            with _unavailable():
                self._count = await partitions_of(self._client, self._settings, self._topic)
                complete = await self._balance()
        except BaseException:
            await self.close()
            raise
        self._heart = asyncio.create_task(self._beat(complete), name=f"bus-{self._topic}-heart")

    async def poll(self, wait: timedelta, limit: int) -> Sequence[Received]:
        """Read; the limit is one of each partition."""
        if self._failure is not None:
            raise UnavailableError(f"the membership is lost: {self._failure}") from self._failure
        asked = {
            number: position
            for number, position in self._owned.items()
            if number not in self._paused and number not in self._leaving
        }
        seconds = min(wait.total_seconds(), _LONGEST_BLOCK)
        if not asked:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
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
            if self._owned.get(number) != asked[number] or number in self._leaving | self._paused:
                continue
            self._owned[number] = offset_of(entries[-1][0]) + 1
            found += (received_of(self._topic, number, *each) for each in entries)
        return found

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Note what the group is done with, where the partitions are still ours."""
        with _unavailable():
            async with self._client.pipeline(transaction=False) as pipe:
                for each, position in positions.items():
                    await self._scripts.commit(
                        keys=[
                            self._keys.owner(self._group, each.number),
                            self._keys.positions(each.number),
                        ],
                        args=[self._member, self._group, position],
                        client=pipe,
                    )
                answers = await pipe.execute()
        lost = [str(each) for each, done in zip(positions, answers, strict=True) if not done]
        if lost:
            raise LostPartitionError(f"not ours any more: {', '.join(lost)}")

    def pause(self, partition: Partition) -> None:
        """Leave it out."""
        self._paused.add(partition.number)

    def resume(self, partition: Partition) -> None:
        """Read from it again."""
        self._paused.discard(partition.number)
        self._changed.set()

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from there."""
        if partition.number not in self._owned:
            raise LostPartitionError(f"{partition} is not ours")
        self._owned[partition.number] = offset

    async def lag(self) -> Mapping[Partition, int]:
        """What lies beyond what the group has committed."""
        numbers = list(self._owned)
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
        """Leave; what is ours is free at once, or after the session if the server is away."""
        await end([*self._partings, *([self._heart] if self._heart else [])])
        numbers = list(self._owned)
        self._owned.clear()
        with suppress(RedisError, OSError):
            await self._release(numbers)
            await self._client.zrem(self._keys.members(self._group), self._member)

    async def _beat(self, complete: bool) -> None:
        every = self._settings.heartbeat.total_seconds()
        try:
            while True:
                await asyncio.sleep(every if complete else every / 5)
                complete = await self._balance()
        except (RedisError, OSError) as error:
            self._failure = error

    async def _balance(self) -> bool:
        """Be alive, keep what is ours, and move to what should be; whether all is as it should."""
        members = await self._scripts.join(
            keys=[self._keys.members(self._group)], args=[self._member, self._session]
        )
        mine = self._share(sorted(members))
        await self._renew()
        self._part({each for each in self._owned if each not in mine})
        wanted = mine - set(self._owned)
        claimed = [each for each in sorted(wanted) if await self._claim(each)]
        if claimed and self._rebalance is not None:
            await self._rebalance.assigned([Partition(self._topic, each) for each in claimed])
            self._changed.set()
        return len(claimed) == len(wanted) and not self._leaving

    def _share(self, members: Sequence[bytes]) -> set[int]:
        place = members.index(self._member.encode())
        return set(range(place, self._count, len(members)))

    async def _renew(self) -> None:
        numbers = list(self._owned)
        async with self._client.pipeline(transaction=False) as pipe:
            for number in numbers:
                await self._scripts.renew(
                    keys=[self._keys.owner(self._group, number)],
                    args=[self._member, self._session],
                    client=pipe,
                )
            answers = await pipe.execute() if numbers else ()
        self._part({number for number, kept in zip(numbers, answers, strict=True) if not kept})

    async def _claim(self, number: int) -> bool:
        position = await self._scripts.claim(
            keys=[
                self._keys.owner(self._group, number),
                self._keys.positions(number),
                self._keys.stream(number),
                self._keys.meta,
            ],
            args=[self._member, self._session, self._group, self._begin, next_field(number)],
        )
        if position:
            self._owned[number] = position
        return bool(position)

    def _part(self, numbers: set[int]) -> None:
        """Let these go, once they are finished with; meanwhile we stay alive."""
        going = numbers - self._leaving
        if going:
            self._leaving |= going
            task = asyncio.create_task(self._let_go(going), name=f"bus-{self._topic}-let-go")
            self._partings.add(task)
            task.add_done_callback(self._partings.discard)

    async def _let_go(self, numbers: set[int]) -> None:
        try:
            if self._rebalance is not None:
                await self._rebalance.revoked([Partition(self._topic, each) for each in numbers])
            for number in numbers:
                self._owned.pop(number, None)
            await self._release(numbers)
        except (RedisError, OSError) as error:
            self._failure = error
        finally:
            self._leaving -= numbers
            self._paused -= numbers

    async def _release(self, numbers: Collection[int]) -> None:
        for number in numbers:
            await self._scripts.release(
                keys=[self._keys.owner(self._group, number)], args=[self._member]
            )


class Scripts:
    """What a member has done in one step."""

    def __init__(self, client: Any) -> None:
        self.join = client.register_script(valkey_scripts.JOIN)
        self.claim = client.register_script(valkey_scripts.CLAIM)
        self.renew = client.register_script(valkey_scripts.RENEW)
        self.commit = client.register_script(valkey_scripts.COMMIT)
        self.release = client.register_script(valkey_scripts.RELEASE)


async def partitions_of(client: Any, settings: StreamSettings, topic: str) -> int:
    """How many partitions a topic has; one that is new gets as many as the settings say."""
    meta = Keys(settings.prefix, topic).meta
    await client.hsetnx(meta, "partitions", settings.partitions)
    return int(await client.hget(meta, "partitions"))


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
