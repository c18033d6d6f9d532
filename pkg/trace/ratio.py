"""Which traces are recorded: a share of them, told by their ids alone.

Every process decides alike for the same trace, and as OpenTelemetry's own `TraceIdRatioBased` does.
"""

from __future__ import annotations


class Ratio:
    """A share of all traces."""

    __slots__ = ("_bound",)

    def __init__(self, share: float) -> None:
        """`share`: from 0, none of them, to 1, all."""
        self._bound = round(share * (1 << 64))

    def takes(self, trace_id: str) -> bool:
        """Is this trace one of them? The id as 32 hex digits."""
        return int(trace_id[16:], 16) < self._bound
