"""Protobuf's wire format, as much of it as a profile needs: written, never read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

_VARINT: Final = 0
_LENGTH: Final = 2
_ALL_BITS: Final = (1 << 64) - 1


def varint(number: int) -> bytes:
    """Seven bits to a byte, the lowest first; a negative number as its 64 bits."""
    number &= _ALL_BITS
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Message:
    """One message, field by field. What has its default is left out, as proto3 does."""

    __slots__ = ("_out",)

    def __init__(self) -> None:
        self._out = bytearray()

    def number(self, field: int, value: int) -> Self:
        """An int64, uint64 or bool."""
        if value:
            self._out += varint(field << 3 | _VARINT)
            self._out += varint(value)
        return self

    def numbers(self, field: int, values: Iterable[int]) -> Self:
        """A packed `repeated` of integers."""
        packed = b"".join(map(varint, values))
        return self.part(field, packed) if packed else self

    def text(self, field: int, value: str) -> Self:
        """One string of a `repeated`: written even when it is empty. A lone surrogate is lost."""
        return self.part(field, value.encode("utf-8", "replace"))

    def message(self, field: int, value: Message) -> Self:
        """A message within this one."""
        return self.part(field, bytes(value))

    def part(self, field: int, content: bytes) -> Self:
        """Bytes with their length before them."""
        self._out += varint(field << 3 | _LENGTH)
        self._out += varint(len(content))
        self._out += content
        return self

    def __bytes__(self) -> bytes:
        """The message as it goes over the wire."""
        return bytes(self._out)
