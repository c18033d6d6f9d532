"""What is recorded of one call, ready to be written anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_REST: Final = 1024
"""Bytes that a record is taken to have beside its bodies."""


class Record(NamedTuple):
    """As `layout.v1.OperationRecord`, which says what each field means. Holds nothing sensitive.

    A tuple because it is made for every call: one costs a fifth of a frozen dataclass.
    """

    id: str
    time: datetime
    service: str
    operation: str
    transport: str
    reason: str
    duration: timedelta
    peer: str = ""
    user_agent: str = ""
    subject: str = ""
    name: str = ""
    role: str = ""
    tenant: str = ""
    request_id: str = ""
    trace_id: str = ""
    code: int = 0
    http_status: int = 0
    request: str = ""
    request_truncated: bool = False
    reply: str = ""
    reply_truncated: bool = False

    @property
    def size(self) -> int:
        """About how many bytes it takes up."""
        return _REST + len(self.request) + len(self.reply)
