"""How a call ended, in one word: `OK`, the reason of its fault, `CANCELLED` or `INTERNAL`."""

from __future__ import annotations

import asyncio

from pkg.errors import Fault

OK = "OK"
CANCELLED = "CANCELLED"
INTERNAL = "INTERNAL"

OURS = frozenset({INTERNAL, "UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""Words that say something of the service rather than of the caller."""


def reason_of(error: BaseException | None) -> str:
    """The word for what a handler raised, None for nothing.

    The words are few: they are written in source code and in protos, never made of a caller's data,
    so that they may label a metric.
    """
    if error is None:
        return OK
    if isinstance(error, Fault):
        return error.reason
    if isinstance(error, asyncio.CancelledError):
        return CANCELLED
    return INTERNAL
