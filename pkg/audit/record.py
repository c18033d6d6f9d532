"""What is recorded of one call, ready to be written anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_REST: Final = 1024
"""Bytes that a record is taken to have beside its bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """As `layout.v1.OperationRecord`, which says what each field means. Holds nothing sensitive."""

    id: str
    time: datetime
    service: str
    operation: str
    transport: str
    peer: str = ""
    user_agent: str = ""
    subject: str = ""
    name: str = ""
    role: str = ""
    tenant: str = ""
    request_id: str = ""
    trace_id: str = ""
    reason: str
    code: int = 0
    http_status: int = 0
    duration: timedelta
    request: str = ""
    request_truncated: bool = False
    reply: str = ""
    reply_truncated: bool = False

    @property
    def size(self) -> int:
        """About how many bytes it takes up."""
        return _REST + len(self.request) + len(self.reply)
