"""Reads the W3C `traceparent`, which tells what trace a call belongs to."""

from __future__ import annotations

import re
from typing import Final

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.ASCII
)


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id that a `traceparent` header carries; None where it is missing or malformed.

    Versions after 00 may append fields, as the recommendation says; version ff is none.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None or (found[2] is not None and found[0].startswith("00")):
        return None
    return found[1]
