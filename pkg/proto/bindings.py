"""What protoc lets pass and we do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, order=True)
class BindingError:
    """A fault in a proto file."""

    file: str
    line: int
    text: str


def check(descriptor_set: bytes, field_name: Callable[[str], str]) -> list[BindingError]:
    """Every fault of the set, in the order of files and lines."""
    return []
