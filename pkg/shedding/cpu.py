"""How busy the CPU is that this process may use.

Python runs on one core at a time, and so do its event loops together: a process that has eight
cores is at its end when its loops use one. And it is at its end when others have used up what is
left: the group's limit, in a container, else the machine.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import psutil

from pkg.holmes.cgroup import CgroupLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkg.clock import Clock
    from pkg.holmes.loops import Loops


class Used(NamedTuple):
    """What has been used since some fixed instant, and of how much."""

    cores: float
    seconds: float
    """Of CPU time."""


class LoopsAndGroupCpu:
    """A `CpuProbe` of the process's event loops, and of what it shares with others."""

    def __init__(
        self,
        loops: Loops,
        *,
        clock: Clock,
        limits: CgroupLimits | None = None,
        threads: Callable[[], Mapping[int, float]] | None = None,
        machine: Callable[[], Used] | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            loops: the process's event loops.
            clock: its monotonic time.
            limits: of the control group.
            threads: native id of each thread of the process -> CPU seconds that it has used.
            machine: what all processes have used; asked where the group has no limit.
        """
        self._loops = loops
        self._clock = clock
        self._limits = limits or CgroupLimits.find()
        self._threads = threads or _thread_times
        self._machine = machine or _machine_times
        self._loop_seconds: Mapping[int, float] = {}
        self._shared: Used | None = None
        self._in_group = False
        self._read_at: float | None = None

    def read(self) -> float | None:
        """Percent: the larger of the loops' share of one core and of what all have used."""
        now = self._clock.monotonic()
        last, self._read_at = self._read_at, now
        loops, shared = self._read_loops(), self._read_shared()
        if last is None or now <= last:
            return None
        return 100 * max(loops, shared) / (now - last)

    def _read_loops(self) -> float:
        """CPU seconds of all loops since the last time; a new one's count from the next on."""
        native = {thread.ident: thread.native_id for thread in threading.enumerate()}
        threads = {native.get(loop.thread) for loop in self._loops.all()}
        before = self._loop_seconds
        self._loop_seconds = {
            each: seconds for each, seconds in self._threads().items() if each in threads
        }
        return sum(
            max(0.0, seconds - before[each])
            for each, seconds in self._loop_seconds.items()
            if each in before
        )

    def _read_shared(self) -> float:
        """CPU seconds of the group, or the machine, since the last time, for each of its cores."""
        group = self._limits.cpu_use()
        used = self._machine() if group is None else Used(*group)
        before, self._shared = self._shared, used
        in_group, self._in_group = self._in_group, group is not None
        if before is None or in_group is not self._in_group:
            return 0.0
        return max(0.0, used.seconds - before.seconds) / used.cores


def _thread_times() -> Mapping[int, float]:
    return {each.id: each.user_time + each.system_time for each in psutil.Process().threads()}


def _machine_times() -> Used:
    times = psutil.cpu_times()
    waiting = times.idle + getattr(times, "iowait", 0.0)
    twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # in user and nice too
    return Used(psutil.cpu_count() or 1, sum(times) - waiting - twice)
