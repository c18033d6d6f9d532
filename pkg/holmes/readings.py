"""What is watched, and the port through which it is read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol


class Kind(StrEnum):
    """What a rule can be about."""

    CPU = "cpu"
    """Percent of the CPU time that the process may use: its cgroup's limit, else its cores."""
    MEMORY = "memory"
    """Resident memory in percent of the limit: the cgroup's, else the host's memory."""
    GC = "gc"
    """Percent of the time spent in collections of the oldest generation."""
    HEAP = "heap"
    """Memory blocks that Python has allocated."""
    LAG = "lag"
    """Milliseconds that the slowest event loop took, or has taken so far, to answer."""
    THREADS = "threads"
    """Threads of the process, those that run no Python included."""
    TASKS = "tasks"
    """Tasks of all event loops."""
    DESCRIPTORS = "descriptors"
    """Open file descriptors in percent of the limit (`ulimit -n`)."""


UNITS: Final[Mapping[Kind, str]] = {
    Kind.CPU: "%",
    Kind.MEMORY: "%",
    Kind.GC: "%",
    Kind.HEAP: " blocks",
    Kind.LAG: " ms",
    Kind.THREADS: "",
    Kind.TASKS: "",
    Kind.DESCRIPTORS: "%",
}

Readings = Mapping[Kind, float]
"""What was read; what cannot be told is not in it."""


class Probe(Protocol):
    """Reads some kinds. For the watchdog's thread."""

    def read(self) -> Readings:
        """What is so now, or was since the last time. Must be quick."""
        ...


def shown(kind: Kind, value: float) -> str:
    """A value with its unit."""
    return f"{value:.10g}{UNITS[kind]}" if value == int(value) else f"{value:.1f}{UNITS[kind]}"
