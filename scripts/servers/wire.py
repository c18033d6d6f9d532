"""Reads protobuf without its schema, and a profile in pprof's format out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = Union[int, bytes]  # noqa: UP007 - evaluated, and Python 3.9 cannot


class WireError(ValueError):
    """The bytes are not what they should be; says how."""


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Number and value of each field, in order; a number for the numeric ones, else bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind, value = key & 7, 0
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind}")
        if at + size > len(message):
            raise WireError("cut short")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise WireError("a number without an end")


def submessages(message: bytes, number: int) -> list[bytes]:
    """The fields of this number that are bytes."""
    return [value for key, value in fields(message) if key == number and isinstance(value, bytes)]


def numbers(message: bytes, number: int) -> list[int]:
    """The numbers in the fields of this number, packed or not."""
    found: list[int] = []
    for key, value in fields(message):
        if key != number:
            continue
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            one, at = _varint(value, at)
            found.append(one)
    return found


@dataclass(frozen=True)
class Profile:
    """What a profile in pprof's format measured."""

    type: str
    """Of its first measurement, as `cpu` or `inuse_space`."""
    unit: str
    total: int
    """The sum of that measurement."""
    functions: frozenset[str]
    """The names of all functions on a stack."""


def profile(message: bytes) -> Profile:
    """Read one, uncompressed.

    Raises:
        WireError: It is none: no measurement, or a number that leads nowhere.
    """
    strings = [text.decode(errors="replace") for text in submessages(message, 6)]
    types = submessages(message, 1)
    if not types or not strings or strings[0]:
        raise WireError("no profile: it has no type, or no table of strings")

    def text(part: bytes, number: int) -> str:
        (index,) = numbers(part, number) or [0]
        if index >= len(strings):
            raise WireError(f"no string {index}")
        return strings[index]

    names = {numbers(part, 1)[0]: text(part, 2) for part in submessages(message, 5)}
    stacks = {
        numbers(part, 1)[0]: [numbers(line, 1)[0] for line in submessages(part, 4)]
        for part in submessages(message, 4)
    }
    total, seen = 0, set[str]()
    for sample in submessages(message, 2):
        total += numbers(sample, 2)[0]
        for location in numbers(sample, 1):
            if location not in stacks or not set(stacks[location]) <= set(names):
                raise WireError(f"no location {location}")
            seen.update(names[function] for function in stacks[location])
    return Profile(text(types[0], 1), text(types[0], 2), total, frozenset(seen))
