"""Keys and entries of the bus on streams, see `pkg.bus.valkey_scripts`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pkg.bus.message import Message, Received

if TYPE_CHECKING:
    from collections.abc import Mapping


class Keys:
    """Those of one topic."""

    def __init__(self, prefix: str, topic: str) -> None:
        self._base = f"{prefix}:{topic}:"
        self.meta = f"{self._base}meta"

    def stream(self, partition: int) -> str:
        """What lies in a partition."""
        return f"{self._base}{partition}"

    def positions(self, partition: int) -> str:
        """What the groups have committed."""
        return f"{self._base}positions:{partition}"

    def members(self, group: str) -> str:
        """Who is in a group."""
        return f"{self._base}members:{group}"

    def owner(self, group: str, partition: int) -> str:
        """Whose a partition is."""
        return f"{self._base}owner:{group}:{partition}"


def next_field(partition: int) -> str:
    """The field of `meta` that counts the offsets."""
    return f"next:{partition}"


def entry_of(message: Message) -> list[bytes]:
    """The fields of a message, one after the other, without its time."""
    fields = [b"v", message.value]
    if message.key is not None:
        fields += [b"k", message.key]
    if message.headers:
        texts = [(name, value.decode("latin-1")) for name, value in message.headers]
        fields += [b"h", json.dumps(texts).encode()]
    return fields


def received_of(
    topic: str, partition: int, entry: bytes, fields: Mapping[bytes, bytes]
) -> Received:
    """The message that an entry holds."""
    texts = json.loads(fields.get(b"h", b"[]"))
    return Received(
        message=Message(
            topic=topic,
            value=fields[b"v"],
            key=fields.get(b"k"),
            headers=tuple((name, value.encode("latin-1")) for name, value in texts),
        ),
        partition=partition,
        offset=offset_of(entry),
        timestamp=datetime.fromtimestamp(int(fields[b"t"]) / 1000, UTC),
    )


def offset_of(entry: bytes) -> int:
    """The offset that the id of an entry tells."""
    return int(entry.partition(b"-")[0])
