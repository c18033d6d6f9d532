"""Request headers as a mapping of texts, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeVar, overload

T = TypeVar("T")

_SEPARATORS: Final = {b"cookie": b"; "}


class Headers(Mapping[str, str]):
    """What an ASGI scope carries: names in lower case; a repeated header reads as one list."""

    __slots__ = ("_table",)

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._table = dict(raw)
        if len(self._table) != len(raw):
            self._table = _joined(raw)

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...
    def get(self, name: str, /, default: str | T | None = None) -> str | T | None:
        """The header's value, or the default; `name` in lower case."""
        value = self._table.get(_encoded(name))
        return default if value is None else value.decode("latin-1")

    def raw(self, name: bytes) -> bytes | None:
        """The header's value as it came; None without it."""
        return self._table.get(name)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._table)

    def __len__(self) -> int:
        return len(self._table)


@lru_cache(maxsize=256)
def _encoded(name: str) -> bytes:
    """A name as it comes over the wire. Names that are asked for come from code, and are few."""
    return name.encode("latin-1", "replace")


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    table: dict[bytes, bytes] = {}
    for name, value in raw:
        before = table.get(name)
        joint = _SEPARATORS.get(name, b", ")
        table[name] = value if before is None else before + joint + value
    return table
