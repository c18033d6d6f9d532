"""The bus on streams of Redis or Valkey, so that two processes on a fresh machine can talk.

A topic is a fixed number of streams, its partitions, chosen by the key. Each belongs to one member
of a group at a time, who holds a lease on it: the consumer groups that Redis has itself hand
entries to whoever asks, so that two members would mix up the order. See `pkg.bus.valkey_member`.

Messages go to the server many at a time, in one command for all partitions: that costs a message
less than a tenth of what a command of its own would.

What is kept is bounded. When a partition is full, what every group has committed is dropped; if
that makes no room, messages are refused, and nothing is lost. A topic that no group has ever read
keeps its newest messages. A group that is gone for good holds messages up until it is forgotten,
by `ValkeyBus.forget`.

How durable a message is, is up to the server: the embedded one writes to its file every second.
"""

from __future__ import annotations

import itertools
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from pkg.bus import valkey_scripts
from pkg.bus.errors import BusError, DeliveryError, RejectedError, UnavailableError
from pkg.bus.valkey_entry import entry_of
from pkg.bus.valkey_keys import Keys, next_field
from pkg.bus.valkey_member import partitions_of
from pkg.bus.valkey_source import ValkeySource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis.asyncio import Redis

    from pkg.bus.message import Message
    from pkg.bus.settings import Begin, StreamSettings
    from pkg.tokens import Tokens

_MOST: Final = 256
"""Messages of one command: it keeps others from the server for less than a millisecond."""
_MOST_BYTES: Final = 1 << 20
"""The same; a message that is larger goes alone."""


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
        self._script = self._client.register_script(valkey_scripts.APPEND)
        self._lines: dict[str, list[_Line]] = {}
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
        """Append these to their streams; a few commands, each bounded as the client's are.

        Of one partition, nothing is stored behind what is not.

        Raises:
            DeliveryError: which are not known to be stored: the server does not answer, or the
                partition is full.
        """
        entries = [entry_of(each) for each in messages]
        found: list[BusError | None] = []
        full: set[_Line] = set()
        try:
            for part in _parts(list(map(len, entries))):
                found += await self._append(messages[part], entries[part], full)
        except (RedisError, OSError) as error:
            why = UnavailableError(f"{type(error).__name__}: {error}")
            found += [why] * (len(messages) - len(found))
        failures = [(each, why) for each, why in zip(messages, found, strict=True) if why]
        if failures:
            raise DeliveryError(failures)

    async def forget(self, topic: str, group: str) -> None:
        """Hold up no messages for a group that is gone. One that comes back begins anew."""
        keys = Keys(self._settings.prefix, topic)
        for partition in range(await partitions_of(self._client, self._settings, topic)):
            await self._client.hdel(keys.positions(partition), group)

    async def _append(
        self, messages: Sequence[Message], entries: Sequence[bytes], full: set[_Line]
    ) -> list[BusError | None]:
        """Append in one command, but to what is full; what went wrong with each."""
        most = self._settings.max_message
        found: list[BusError | None] = []
        taking: defaultdict[_Line, list[bytes]] = defaultdict(list)
        places: defaultdict[_Line, list[int]] = defaultdict(list)
        for place, (each, entry) in enumerate(zip(messages, entries, strict=True)):
            lines = self._lines.get(each.topic) or await self._find(each.topic)
            turn = next(self._turn) if each.key is None else zlib.crc32(each.key)
            line = lines[turn % len(lines)]
            if len(entry) > most and each.size > most:
                found.append(RejectedError(f"{each.size} bytes are more than {most}"))
            elif line in full:
                found.append(_refused(line))
            else:
                found.append(None)
                taking[line].append(entry)
                places[line].append(place)
        if not taking:
            return found
        args: list[Any] = [self._settings.max_length]
        for line, of_line in taking.items():
            args += (line.counter, len(of_line), *of_line)
        taken = await self._script(keys=[key for line in taking for key in line.keys], args=args)
        for (line, lying), count in zip(places.items(), taken, strict=True):
            if count < len(lying):
                full.add(line)
            for place in lying[count:]:
                found[place] = _refused(line)
        return found

    async def _find(self, topic: str) -> list[_Line]:
        """The lines of a topic, kept from then on."""
        count = await partitions_of(self._client, self._settings, topic)
        keys = Keys(self._settings.prefix, topic)
        # Another task may have asked meanwhile; a partition has one line.
        return self._lines.setdefault(topic, [_Line(topic, keys, each) for each in range(count)])


class _Line:
    """Where the messages of one partition go."""

    def __init__(self, topic: str, keys: Keys, number: int) -> None:
        self.topic = topic
        self.keys = (keys.stream(number), keys.positions(number), keys.meta)
        self.counter = next_field(number)


def _refused(line: _Line) -> BusError:
    return UnavailableError(f"{line.topic} is full: a group has not committed its messages")


def _parts(sizes: Sequence[int]) -> Iterator[slice]:
    """The places of entries that go in one command each."""
    begin = total = 0
    for place, size in enumerate(sizes):
        if place > begin and (place - begin >= _MOST or total + size > _MOST_BYTES):
            yield slice(begin, place)
            begin, total = place, 0
        total += size
    if begin < len(sizes):
        yield slice(begin, len(sizes))
