"""What is recorded of one call, ready to be written anywhere."""

from __future__ import annotations

from typing import Final, NamedTuple

MESSAGE: Final = "layout.v1.OperationRecord"

_REST: Final = 512
"""Bytes that a record is taken to have beside its message."""


class Record(NamedTuple):
    """A `layout.v1.OperationRecord`, which says what each field means. Holds nothing sensitive.

    It is made for every call, and so is made once: as the bytes that the bus takes.
    """

    id: str
    subject: str
    """Who called; empty where nobody has to sign in. Records of one subject stay in order."""
    message: bytes
    """All of it, in the wire format."""

    @property
    def size(self) -> int:
        """About how many bytes it takes up."""
        return _REST + len(self.message)
