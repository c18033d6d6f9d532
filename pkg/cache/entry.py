"""What stands in the store: a value or the news that there is none, and until when it is fresh."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER: Final = struct.Struct("!BBIB")
_FORMAT: Final = 1
VERSION_SIZE: Final = 8
"""Bytes of the version of a tag."""
MOST_TAGS: Final = 16


class Entry(NamedTuple):
    """A value in the form of its codec."""

    exists: bool
    """False: it is known that there is no such thing."""
    payload: bytes = b""


NOTHING: Final = Entry(exists=False)


class Kept(NamedTuple):
    """An entry from the store."""

    entry: Entry
    fresh: bool


def pack(entry: Entry, *, stale: int, versions: Sequence[bytes]) -> bytes:
    """The bytes to be kept.

    Args:
        entry: the value.
        stale: milliseconds before its end at which it is no longer fresh.
        versions: of its tags, as they were before it was loaded.
    """
    header = _HEADER.pack(_FORMAT, entry.exists, stale, len(versions))
    return b"".join((header, *versions, entry.payload))


def unpack(data: bytes, *, left: float, versions: Sequence[bytes]) -> Kept | None:
    """What was kept; None if it is of another format, or a tag has another version by now.

    Args:
        data: from the store.
        left: seconds until its end.
        versions: of its tags, as they are.
    """
    if len(data) < _HEADER.size:
        return None
    form, exists, stale, count = _HEADER.unpack_from(data)
    end = _HEADER.size + count * VERSION_SIZE
    if form != _FORMAT or data[_HEADER.size : end] != b"".join(versions):
        return None
    return Kept(Entry(bool(exists), data[end:]), left * 1000 > stale)
