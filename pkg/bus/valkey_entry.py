"""Messages as they lie in a stream: one field beside the time, so that little is sent and stored.

int32     length of the key; -1 where there is none
uint32    number of headers
of each header:  uint32 length of its name, uint32 length of its value, name, value
key
value     the rest
"""

from __future__ import annotations

from datetime import UTC, datetime
from struct import Struct
from typing import TYPE_CHECKING, Final

from pkg.bus.message import Message, Received

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.bus.message import Header

_HEAD: Final = Struct(">iI")
_HEADER: Final = Struct(">II")


def entry_of(message: Message) -> bytes:
    """The message, without its topic."""
    key, headers = message.key, message.headers
    parts = [_HEAD.pack(-1 if key is None else len(key), len(headers))]
    for text, value in headers:
        name = text.encode()
        parts += (_HEADER.pack(len(name), len(value)), name, value)
    parts += (key or b"", message.value)
    return b"".join(parts)


def received_of(
    topic: str, partition: int, entry: bytes, fields: Mapping[bytes, bytes]
) -> Received:
    """The message that an entry holds."""
    whole = fields[b"m"]
    length, count = _HEAD.unpack_from(whole)
    place = _HEAD.size
    headers: list[Header] = []
    for _ in range(count):
        named, valued = _HEADER.unpack_from(whole, place)
        middle = place + _HEADER.size + named
        name = whole[middle - named : middle].decode()
        place = middle + valued
        headers.append((name, whole[middle:place]))
    after = place + max(length, 0)
    return Received(
        message=Message(
            topic=topic,
            value=whole[after:],
            key=None if length < 0 else whole[place:after],
            headers=tuple(headers),
        ),
        partition=partition,
        offset=offset_of(entry),
        timestamp=datetime.fromtimestamp(int(fields[b"t"]) / 1000, UTC),
    )


def offset_of(entry: bytes) -> int:
    """The offset that the id of an entry tells."""
    return int(entry.partition(b"-")[0])
