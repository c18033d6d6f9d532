"""Reads the W3C `traceparent`, which tells what trace a call belongs to.

The transport decides once what trace a call is in: the caller's, or a new one. From then on
`call.trace_id` is the only source: the envelope, the log and the spans all say it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pkg.rpc.call import Call

TRACEPARENT: Final = "traceparent"

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.ASCII
)
_SAMPLED: Final = 1
"""The flag that says: somebody records this trace."""


class Parent(NamedTuple):
    """The span of whoever calls."""

    span_id: str
    """16 hex digits."""
    sampled: bool


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id that a `traceparent` header carries; None where it is missing or malformed.

    Versions after 00 may append fields, as the recommendation says; version ff is none.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None or (found[2] is not None and found[0].startswith("00")):
        return None
    return found[1]


def parent_of(call: Call) -> Parent | None:
    """The caller's span; None where the trace begins with this call.

    The header is not checked again: the transport took the call's trace id out of it, if it could.
    """
    came = call.headers.get(TRACEPARENT)
    if came is None or came[3:35] != call.trace_id:
        return None
    return Parent(came[36:52], bool(int(came[53:55], 16) & _SAMPLED))
