"""What helps to understand why something is too much, gathered while it is."""

from __future__ import annotations

import gc
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkg.holmes.readings import Kind, Readings, shown
from pkg.profile import Sampler, SamplerBusyError, heap_text, task_stacks, thread_stacks

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from pkg.holmes.garbage import Collections
    from pkg.holmes.loops import Loops, WatchedLoop

_HZ: Final = 100
_PLACES: Final = 40
"""Lines of code that are listed with what they hold."""
_CUT: Final = "\n… the rest was cut off\n"
_ABOUT_MEMORY: Final = frozenset({Kind.MEMORY, Kind.HEAP, Kind.GC})

TITLES: Final = {
    Kind.CPU: "CPU use is high",
    Kind.MEMORY: "memory use is high",
    Kind.GC: "garbage collection takes long",
    Kind.HEAP: "the heap has grown",
    Kind.LAG: "an event loop is blocked",
    Kind.THREADS: "there are many threads",
    Kind.TASKS: "there are many tasks",
    Kind.DESCRIPTORS: "file descriptors run out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A reading that was too much."""

    kind: Kind
    value: float
    reason: str
    readings: Readings
    """The last of every kind."""
    when: datetime
    late: float = 0.0
    """Seconds that the watchdog itself was late."""

    @property
    def title(self) -> str:
        """What it is, without what changes from one time to the next."""
        return TITLES[self.kind]

    def summary(self) -> str:
        """In a few lines."""
        read = ", ".join(f"{kind} {shown(kind, value)}" for kind, value in self.readings.items())
        lines = [
            f"{self.title}: {shown(self.kind, self.value)}, {self.reason}",
            f"when: {self.when.isoformat(timespec='milliseconds')}",
            f"where: process {os.getpid()} on {socket.gethostname()}",
            f"all readings: {read}",
        ]
        if self.late > 1:
            lines.append(
                f"The watchdog was {self.late:.1f} s late: the whole process stood still"
                " (something held the GIL, or it was stopped, or the host had no CPU for it)."
            )
        return "\n".join(lines) + "\n"


class Examiner:
    """Gathers evidence in the watchdog's thread, whatever the other threads do."""

    def __init__(
        self, loops: Loops, collections: Collections, sampler: Sampler, *, max_text: int
    ) -> None:
        """`max_text`: bytes of a text."""
        self._loops = loops
        self._collections = collections
        self._sampler = sampler
        self._max_text = max_text

    def text(self, finding: Finding) -> bytes:
        """The stacks first: they are what passes. What cannot be told says so in its place."""
        loops = self._loops.all()
        parts = [finding.summary(), *map(_lag, loops)]
        parts.append(_section("threads", lambda: thread_stacks(_notes(loops))))
        parts += [_section(f"tasks of {each.name}", _tasks(each)) for each in loops]
        parts.append(_section("garbage collector", self._garbage))
        if finding.kind in _ABOUT_MEMORY:  # slow: it would make a blocked loop wait even longer
            parts.append(_section("memory by line", lambda: heap_text(_PLACES)))
        return _cut("".join(parts).encode("utf-8", "replace"), self._max_text)

    def blocked(self) -> str:
        """The stack of the thread of the loop that lags most; empty without one."""
        slowest = max(self._loops.all(), key=lambda each: each.lag, default=None)
        if slowest is None or slowest.thread is None:
            return ""
        return thread_stacks({slowest.thread: f"runs the loop {slowest.name}"}, only_noted=True)

    def profile(self, duration: timedelta, stop: threading.Event) -> bytes | None:
        """A CPU profile; None if another one is being taken."""
        try:
            return self._sampler.run(duration, _HZ, stop).encoded()
        except SamplerBusyError:
            return None

    def _garbage(self) -> str:
        seen = self._collections
        objects = ", ".join(str(count) for count in gc.get_count())
        lines = [
            f"{seen.count} collections of the oldest generation took {seen.seconds:.3f} s,"
            f" the longest {seen.longest:.3f} s",
            f"enabled: {gc.isenabled()}, thresholds: {gc.get_threshold()}, counts: {objects}",
            *(f"generation {index}: {each}" for index, each in enumerate(gc.get_stats())),
            f"garbage that cannot be freed: {len(gc.garbage)} objects",
        ]
        return "\n".join(lines) + "\n"


def _lag(watched: WatchedLoop) -> str:
    return f"loop {watched.name}: lags by {watched.lag * 1000:.1f} ms\n"


def _notes(loops: tuple[WatchedLoop, ...]) -> dict[int, str]:
    slowest_first = sorted(loops, key=lambda each: -each.lag)
    return {
        each.thread: f"runs the loop {each.name}, which lags by {each.lag * 1000:.0f} ms"
        for each in slowest_first
        if each.thread is not None
    }


def _tasks(watched: WatchedLoop) -> Callable[[], str]:
    return lambda: task_stacks(watched.loop)


def _section(title: str, content: Callable[[], str]) -> str:
    try:
        text = content()
    except Exception as error:  # noqa: BLE001 - the other parts help all the same
        text = f"could not be told: {error!r}\n"
    return f"\n=== {title} ===\n{text}"


def _cut(text: bytes, most: int) -> bytes:
    end = _CUT.encode()
    return text if len(text) <= most else text[: max(0, most - len(end))] + end
