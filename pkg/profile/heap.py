"""What memory is held, and where it was allocated: the live allocations that tracemalloc knows.

tracemalloc makes allocations slower, often twice as slow, and needs memory of its own, so it is off
until it is turned on: by `HeapTracing`, or by how Python is started. It knows files and lines, not
functions: a place is named `file:line`.
"""

from __future__ import annotations

import tracemalloc
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from pkg.profile.pprof import Frame, Profile, Sample, ValueType

if TYPE_CHECKING:
    from pkg.clock import Clock

HOW_TO_TURN_ON: Final = (
    "tracemalloc is off; start the process with profile.heapFrames = 16"
    " (frames per allocation), which costs time and memory"
)
MAX_PLACES: Final = 10_000
"""Different tracebacks of a profile, the largest ones; the others are counted as one."""

_SPACE: Final = ValueType("inuse_space", "bytes")
_TYPES: Final = (ValueType("inuse_objects", "count"), _SPACE)
_OTHER: Final = Frame("[other places]", "", 0)


class HeapTracingOffError(Exception):
    """Allocations are not traced."""


class HeapTracing:
    """A component that has allocations traced while it runs, those of others before it not."""

    name = "heap-tracing"

    def __init__(self, frames: int) -> None:
        """`frames`: kept of each allocation."""
        self._frames = frames
        self._ours = False

    async def start(self) -> None:
        """Trace from now on. If Python was started so, that stays as it is."""
        if not tracemalloc.is_tracing():
            tracemalloc.start(self._frames)
            self._ours = True

    async def stop(self) -> None:
        """Trace no more, if it was us who began."""
        if self._ours:
            self._ours = False
            tracemalloc.stop()


def heap_profile(clock: Clock) -> Profile:
    """The live allocations. Takes seconds for a heap of gigabytes, and the GIL for most of them.

    Raises:
        HeapTracingOffError: tracemalloc is off; says how to turn it on.
    """
    if not tracemalloc.is_tracing():
        raise HeapTracingOffError(HOW_TO_TURN_ON)
    snapshot = tracemalloc.take_snapshot()
    found = snapshot.statistics("traceback")
    samples = [
        Sample(
            [_frame(each) for each in reversed(statistic.traceback)],
            (statistic.count, statistic.size),
        )
        for statistic in found[:MAX_PLACES]
    ]
    rest = found[MAX_PLACES:]
    if rest:
        sums = sum(each.count for each in rest), sum(each.size for each in rest)
        samples.append(Sample([_OTHER], sums))
    return Profile(
        types=_TYPES,
        samples=samples,
        default=_SPACE.kind,
        period_type=_SPACE,
        period=1,  # every allocation is traced
        began_ns=int(clock.time() * 1e9),
    )


def heap_text(limit: int) -> str:
    """The lines of code that hold most, for people; or how to turn tracemalloc on."""
    if not tracemalloc.is_tracing():
        return HOW_TO_TURN_ON + "\n"
    held, peak = tracemalloc.get_traced_memory()
    lines = [f"{held / 2**20:.1f} MiB are held, at most it were {peak / 2**20:.1f} MiB"]
    for each in tracemalloc.take_snapshot().statistics("lineno")[:limit]:
        place = each.traceback[0]
        lines.append(
            f"{each.size / 2**10:12.1f} KiB {each.count:9d} blocks  {place.filename}:{place.lineno}"
        )
    return "\n".join(lines) + "\n"


def _frame(place: tracemalloc.Frame) -> Frame:
    path = PurePath(place.filename)
    short = "/".join(path.parts[-2:])
    return Frame(f"{short}:{place.lineno}", place.filename, place.lineno)
