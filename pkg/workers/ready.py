"""What a worker tells its supervisor, once, when it serves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """One line."""

    admin: str
    """`host:port` of its own admin port."""
    places: Mapping[str, str] = field(default_factory=dict)
    """For the banner."""
    login: str = ""
    password: str = field(default="", repr=False)
    """How to get in, where this start has made it up."""

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Self:
        """As it was sent.

        Raises:
            ValueError, TypeError: it was not.
        """
        return cls(**json.loads(line))
