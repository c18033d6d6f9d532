"""One round: what the load is asked for, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """A wish, as the load's process gets it in JSON."""

    transport: Literal["http", "grpc"]
    port: int
    pid: int
    """The server, whose CPU time is read at both ends."""
    calls: str
    """File of `tests.bench.load.call`; they are sent in turn, again and again."""
    seconds: float
    warmup: float
    """Seconds before, in which nothing is counted."""
    connections: int
    """As many calls are under way at a time."""
    rate: float = 0.0
    """Calls a second, evenly spaced; 0 sends as fast as answers come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a round came to."""

    calls: int
    """Answered well."""
    errors: int
    seconds: float
    cpu: float
    """Seconds of CPU time of the server's process."""
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""
    first_error: str = ""

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of the server's CPU per call."""
        return self.cpu / self.calls * 1e6 if self.calls else float("inf")
