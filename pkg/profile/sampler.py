"""Where the threads of this process spend their time, found out by looking often.

A sampling thread looks at the stacks of all other threads, `hz` times a second. Each look gives
every thread's stack three values:

    samples  how often it was seen
    cpu      CPU time that the thread used, in nanoseconds (Linux only: elsewhere it is 0)
    wall     time that passed

and two labels: `thread` (its name) and `state`. A thread is `on-cpu` when it goes on to use the CPU
right after the look, else `off-cpu`: it waits for an event, a lock, the GIL. CPU time that was used
between looks is counted where the thread is next seen at work, so the sum per thread is exact and
the share per function is statistical. Python is told to switch threads every 0.5 ms while a profile
is taken, not every 5 ms.

What it cannot see well: a look needs the GIL, so work in slices shorter than that is mostly seen
where it gives the GIL up. A profiler that needs no GIL (`pkg.profile.pyroscope`) has no such limit.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Final

from pkg.clock import Clock, SystemClock
from pkg.profile.cpu import thread_cpu_ns
from pkg.profile.tally import Stack, Tally

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.profile.pprof import Profile

_AFTER: Final = 0.001
"""Seconds between a look and the question who went on to work."""
_AT_WORK: Final = 0.2
"""Share of `_AFTER` that a thread must have used to count as working."""
_SWITCH: Final = 0.0005
"""Seconds that the sampler waits for the GIL before the thread that has it must give it up."""
MAX_HZ: Final = 250
"""More often than that, the sampler itself is what one sees."""


class SamplerBusyError(Exception):
    """A profile is being taken already."""


class Sampler:
    """Takes one profile at a time. May be used by any thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._busy = threading.Lock()

    def run(self, duration: timedelta, hz: int, stop: threading.Event) -> Profile:
        """Look until the time is over or `stop` is set; blocks the calling thread, unseen.

        Args:
            duration: of the profile.
            hz: looks per second, 1 to 250.
            stop: ends it early, with what has been seen.

        Raises:
            SamplerBusyError: another profile is being taken.
            ValueError: `hz` is out of bounds.
        """
        if not 1 <= hz <= MAX_HZ:
            raise ValueError(f"a profile is taken with 1 to {MAX_HZ} looks per second")
        if not self._busy.acquire(blocking=False):
            raise SamplerBusyError("another profile is being taken; there is one at a time")
        switch = sys.getswitchinterval()
        sys.setswitchinterval(min(switch, _SWITCH))
        try:
            return self._look(duration.total_seconds(), 1 / hz, stop)
        finally:
            sys.setswitchinterval(switch)
            self._busy.release()

    def _look(self, seconds: float, period: float, stop: threading.Event) -> Profile:
        began_ns = int(self._clock.time() * 1e9)
        began = last = self._clock.monotonic()
        tally = Tally(thread_cpu_ns(threading.enumerate()))
        due = began + period
        while not stop.wait(max(0.0, due - self._clock.monotonic())):
            stacks = _stacks(tally)
            threads = {thread.ident: thread for thread in threading.enumerate()}
            then = thread_cpu_ns(threads.values())
            now = self._clock.monotonic()
            stop.wait(_AFTER)  # whoever was at work takes the GIL now
            later = thread_cpu_ns(threads.values())
            for ident, stack in stacks.items():
                thread = threads.get(ident)
                used = later.get(ident, 0) - then.get(ident, 0)
                tally.add(
                    ident,
                    f"thread {ident}" if thread is None else thread.name,
                    stack,
                    wall=_ns(now - last),
                    cpu=then.get(ident, 0),
                    at_work=used >= _AT_WORK * _ns(_AFTER),
                )
            last = now
            if now - began >= seconds:
                break
            due = max(due + period, now)  # looks that were missed are not made up for
        return tally.profile(began_ns, _ns(last - began), _ns(period))


def _stacks(tally: Tally) -> dict[int, Stack]:
    """By ident, without the caller's. No frame is kept: it would keep alive all that it holds."""
    own = threading.get_ident()
    frames = sys._current_frames()
    return {ident: tally.stack(frame) for ident, frame in frames.items() if ident != own}


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
