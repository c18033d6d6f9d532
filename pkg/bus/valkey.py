"""The bus on streams of Redis or Valkey, so that two processes on a fresh machine can talk.

A topic is a fixed number of streams, its partitions, chosen by the key. Each belongs to one member
of a group at a time, who holds a lease on it: the consumer groups that Redis has itself hand
entries to whoever asks, so that two members would mix up the order. See `pkg.bus.valkey_member`.

What is kept is bounded. When a partition is full, what every group has committed is dropped; if
that makes no room, messages are refused, and nothing is lost. A topic that no group has ever read
keeps its newest messages. A group that is gone for good holds messages up until it is forgotten,
by `ValkeyBus.forget`.

How durable a message is, is up to the server: the embedded one writes to its file every second.
"""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from pkg.bus import valkey_scripts
from pkg.bus.errors import BusError, DeliveryError, RejectedError, UnavailableError
from pkg.bus.valkey_keys import Keys, entry_of, next_field
from pkg.bus.valkey_member import partitions_of
from pkg.bus.valkey_source import ValkeySource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

    from pkg.bus.message import Message
    from pkg.bus.settings import Begin, StreamSettings
    from pkg.tokens import Tokens


class ValkeyBus:
    """A `Producer` and a `Bus`. Belongs to its client's event loop, and keeps nothing open."""

    def __init__(self, client: Redis, settings: StreamSettings, *, tokens: Tokens) -> None:
        """Use one server.

        Args:
            client: as `open_redis` makes it. Each open source keeps a connection busy.
            settings: of all topics.
            tokens: make the names of members.
        """
        self._client: Any = client
        self._settings = settings
        self._tokens = tokens
        self._append = self._client.register_script(valkey_scripts.APPEND)
        self._partitions: dict[str, int] = {}
        self._turn = itertools.count()

    def source(self, topic: str, group: str, *, begin: Begin = "earliest") -> ValkeySource:
        """A member of a group, not open yet."""
        return ValkeySource(
            self._client,
            self._settings,
            topic=topic,
            group=group,
            begin=begin,
            member=self._tokens.hex(8),
        )

    async def send(self, *messages: Message) -> None:
        """Append these to their streams, in one round trip. Bounded as the client's commands are.

        Raises:
            DeliveryError: which are not known to be stored: the server does not answer, or the
                partition is full.
        """
        try:
            found = await self._sent(messages)
        except (RedisError, OSError) as error:
            raise DeliveryError(
                [(each, UnavailableError(f"{type(error).__name__}: {error}")) for each in messages]
            ) from error
        failures = [(each, why) for each, why in zip(messages, found, strict=True) if why]
        if failures:
            raise DeliveryError(failures)

    async def forget(self, topic: str, group: str) -> None:
        """Hold up no messages for a group that is gone. One that comes back begins anew."""
        keys = Keys(self._settings.prefix, topic)
        for partition in range(await self._partitions_of(topic)):
            await self._client.hdel(keys.positions(partition), group)

    async def _sent(self, messages: Sequence[Message]) -> list[BusError | None]:
        for topic in {each.topic for each in messages}:
            await self._partitions_of(topic)
        most = self._settings.max_message
        fit = [each for each in messages if each.size <= most]
        async with self._client.pipeline(transaction=False) as pipe:
            for each in fit:
                await self._add(pipe, each)
            answers = iter(await pipe.execute(raise_on_error=False) if fit else ())
        found: list[BusError | None] = []
        for each in messages:
            if each.size > most:
                found.append(RejectedError(f"{each.size} bytes are more than {most}"))
                continue
            answer = next(answers)
            if isinstance(answer, Exception):
                found.append(UnavailableError(f"{type(answer).__name__}: {answer}"))
            elif not answer:
                found.append(
                    UnavailableError(
                        f"{each.topic} is full: a group has not committed its messages"
                    )
                )
            else:
                found.append(None)
        return found

    async def _add(self, pipe: Any, message: Message) -> None:
        keys = Keys(self._settings.prefix, message.topic)
        turn = next(self._turn) if message.key is None else zlib.crc32(message.key)
        partition = turn % self._partitions[message.topic]
        await self._append(
            keys=[keys.stream(partition), keys.positions(partition), keys.meta],
            args=[self._settings.max_length, next_field(partition), *entry_of(message)],
            client=pipe,
        )

    async def _partitions_of(self, topic: str) -> int:
        known = self._partitions.get(topic)
        if known is None:
            known = self._partitions[topic] = await partitions_of(
                self._client, self._settings, topic
            )
        return known
