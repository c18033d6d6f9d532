"""How proto names are written in Python, as whoever generates the messages decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class PythonNames:
    """Functions from a proto name to a Python name."""

    message: Callable[[str], str]
    """Of a message or an enum; a nested one is `Outer.Inner`."""
    field: Callable[[str], str]
    method: Callable[[str], str]
