"""Records of documents in a file.

A record is its length and its CRC-32, four bytes each, and its content: index and id as JSON, a
line feed, the document.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Final

import orjson

from pkg.search.search import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
    from pathlib import Path

_HEAD: Final = struct.Struct(">II")
_LARGEST: Final = 1 << 30
"""Bytes. A length beyond is damage."""


def encode(items: Sequence[Item]) -> bytes:
    """The records of items."""
    return b"".join(map(_record, items))


def write(file: FileIO, content: bytes, *, sync: bool) -> None:
    """Write all of the content; on the disk, not just on its way, if `sync`.

    Raises:
        OSError: a part of it may have been written.
    """
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
    if sync:
        os.fsync(file.fileno())


def read(path: Path, begin: int, limit: int) -> Iterator[tuple[Item, int]]:
    """Whole records and where they end, from a byte on, up to a limit or one that is not whole.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(begin)
        while begin + _HEAD.size <= limit:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            length, checksum = _HEAD.unpack(head)
            if not 0 < length <= min(_LARGEST, limit - begin - _HEAD.size):
                return
            content = file.read(length)
            if len(content) < length or zlib.crc32(content) != checksum:
                return
            begin += _HEAD.size + length
            yield _item(content), begin


def sync_directory(directory: Path) -> None:
    """See to it that new names in the directory outlive a power cut."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _record(item: Item) -> bytes:
    content = orjson.dumps([item.index, item.id]) + b"\n" + item.source
    return _HEAD.pack(len(content), zlib.crc32(content)) + content


def _item(content: bytes) -> Item:
    names, _, source = content.partition(b"\n")
    index, id_ = orjson.loads(names)
    return Item(index, id_, source)
