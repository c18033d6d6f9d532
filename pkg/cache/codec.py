"""How a value is kept: bytes in, bytes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Codec(Protocol[T]):
    """Writes values, and reads what it wrote. What another version of the code wrote may differ."""

    def encode(self, value: T) -> bytes:
        """The bytes of a value."""
        ...

    def decode(self, data: bytes) -> T:
        """The value of bytes.

        Raises:
            Exception: any: they are not those of a value, and it is loaded anew.
        """
        ...


class JsonCodec(Generic[T]):
    """A `Codec` that writes JSON, which people can read in the server too."""

    def __init__(self, dump: Callable[[T], Any], load: Callable[[Any], T]) -> None:
        """Take the two ways between a value and JSON.

        Args:
            dump: gives what orjson can write: dicts, lists, texts, numbers, times, dataclasses.
            load: makes the value of what was read; raises what it likes if it cannot.
        """
        self._dump = dump
        self._load = load

    def encode(self, value: T) -> bytes:
        """JSON in UTF-8."""
        return orjson.dumps(self._dump(value))

    def decode(self, data: bytes) -> T:
        """The value of JSON."""
        return self._load(orjson.loads(data))
