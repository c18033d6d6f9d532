"""Which partitions of a topic on streams are whose.

Members say that they are alive, and each works out by itself which partitions are its share: they
are dealt out in the order of the members' names. Who has one that is another's by now finishes
with it and lets it go; who lacks one takes it as soon as it is free. A partition of a member that
is not heard of becomes free when its session has passed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from pkg.bus import valkey_scripts
from pkg.bus.message import Partition
from pkg.bus.tasks import end
from pkg.bus.valkey_keys import Keys, next_field

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pkg.bus.ports import Rebalance
    from pkg.bus.settings import Begin, StreamSettings

_MILLISECOND: Final = timedelta(milliseconds=1)


class Membership:
    """That of one member. Everything that reaches the server raises RedisError or OSError."""

    def __init__(
        self,
        client: Any,
        settings: StreamSettings,
        *,
        topic: str,
        group: str,
        begin: Begin,
        member: str,
    ) -> None:
        """`member`: a name that no other has."""
        self._client = client
        self._settings = settings
        self._topic = topic
        self._group = group
        self._begin = begin
        self._member = member
        self._keys = Keys(settings.prefix, topic)
        self._session = settings.session // _MILLISECOND
        self._join = client.register_script(valkey_scripts.JOIN)
        self._claim_script = client.register_script(valkey_scripts.CLAIM)
        self._renew_script = client.register_script(valkey_scripts.RENEW)
        self._commit = client.register_script(valkey_scripts.COMMIT)
        self._release_script = client.register_script(valkey_scripts.RELEASE)
        self._count = 0
        self._rebalance: Rebalance | None = None
        self._heart: asyncio.Task[None] | None = None
        self._partings: set[asyncio.Task[None]] = set()
        self.owned: dict[int, int] = {}
        """Partition -> what is read next."""
        self.coming: set[int] = set()
        """Those that are ours, but that nobody has been told of yet."""
        self.leaving: set[int] = set()
        """Those that are ours until they are finished with."""
        self.changed = asyncio.Event()
        """Set when partitions have come."""
        self.failure: Exception | None = None
        """Why the membership is not kept up any more."""

    async def join(self, rebalance: Rebalance) -> None:
        """Be a member, and take what is free."""
        self._rebalance = rebalance
        self._count = await partitions_of(self._client, self._settings, self._topic)
        complete = await self._balance()
        self._heart = asyncio.create_task(self._beat(complete), name=f"bus-{self._topic}-heart")

    async def commit(self, positions: dict[int, int]) -> set[int]:
        """Note what the group reads next; those that are not ours any more, and are left out."""
        async with self._client.pipeline(transaction=False) as pipe:
            for number, position in positions.items():
                await self._commit(
                    keys=[self._keys.owner(self._group, number), self._keys.positions(number)],
                    args=[self._member, self._group, position],
                    client=pipe,
                )
            answers = await pipe.execute()
        return {number for number, done in zip(positions, answers, strict=True) if not done}

    async def leave(self) -> None:
        """Be none any more; what is ours is free at once, or after the session without a server."""
        await end([*self._partings, *([self._heart] if self._heart else [])])
        numbers = list(self.owned)
        self.owned.clear()
        with suppress(RedisError, OSError):
            await self._release(numbers)
            await self._client.zrem(self._keys.members(self._group), self._member)

    async def _beat(self, complete: bool) -> None:
        every = self._settings.heartbeat.total_seconds()
        try:
            while True:
                await asyncio.sleep(every if complete else every / 5)
                complete = await self._balance()
        except Exception as error:  # noqa: BLE001 - whatever it is, who polls is told
            self.failure = error

    async def _balance(self) -> bool:
        """Be alive, keep what is ours, and move to what should be; whether all is as it should."""
        members = await self._join(
            keys=[self._keys.members(self._group)], args=[self._member, self._session]
        )
        mine = self._share(sorted(members))
        await self._renew()
        self._part({each for each in self.owned if each not in mine})
        wanted = mine - set(self.owned)
        claimed = [each for each in sorted(wanted) if await self._claim(each)]
        if claimed and self._rebalance is not None:
            await self._rebalance.assigned([Partition(self._topic, each) for each in claimed])
            self.coming.clear()
            self.changed.set()
        return len(claimed) == len(wanted) and not self.leaving

    def _share(self, members: Sequence[bytes]) -> set[int]:
        place = members.index(self._member.encode())
        return set(range(place, self._count, len(members)))

    def reads(self, number: int) -> bool:
        """Whether what is read of a partition has somebody to take it."""
        return number not in self.coming and number not in self.leaving

    async def _renew(self) -> None:
        numbers = list(self.owned)
        async with self._client.pipeline(transaction=False) as pipe:
            for number in numbers:
                await self._renew_script(
                    keys=[self._keys.owner(self._group, number)],
                    args=[self._member, self._session],
                    client=pipe,
                )
            answers = await pipe.execute() if numbers else ()
        lost = {number for number, kept in zip(numbers, answers, strict=True) if not kept}
        self._part(lost & self.owned.keys())  # what has been let go meanwhile is not lost

    async def _claim(self, number: int) -> bool:
        position = await self._claim_script(
            keys=[
                self._keys.owner(self._group, number),
                self._keys.positions(number),
                self._keys.stream(number),
                self._keys.meta,
            ],
            args=[self._member, self._session, self._group, self._begin, next_field(number)],
        )
        if position:
            self.owned[number] = position
            self.coming.add(number)
        return bool(position)

    def _part(self, numbers: set[int]) -> None:
        """Let these go, once they are finished with; meanwhile we stay alive."""
        going = numbers - self.leaving
        if going:
            self.leaving |= going
            task = asyncio.create_task(self._let_go(going), name=f"bus-{self._topic}-let-go")
            self._partings.add(task)
            task.add_done_callback(self._partings.discard)

    async def _let_go(self, numbers: set[int]) -> None:
        try:
            if self._rebalance is not None:
                await self._rebalance.revoked([Partition(self._topic, each) for each in numbers])
            await self._release(numbers)
            for number in numbers:  # not before: what is not owned may be claimed again
                self.owned.pop(number, None)
        except Exception as error:  # noqa: BLE001 - whatever it is, who polls is told
            self.failure = error
        finally:
            self.leaving -= numbers

    async def _release(self, numbers: Collection[int]) -> None:
        for number in numbers:
            await self._release_script(
                keys=[self._keys.owner(self._group, number)], args=[self._member]
            )


async def partitions_of(client: Any, settings: StreamSettings, topic: str) -> int:
    """How many partitions a topic has; one that is new gets as many as the settings say."""
    meta = Keys(settings.prefix, topic).meta
    await client.hsetnx(meta, "partitions", settings.partitions)
    return int(await client.hget(meta, "partitions"))
