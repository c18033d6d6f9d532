"""Readings of this process, from the operating system and the interpreter."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from typing import TYPE_CHECKING

import psutil

from pkg.clock import Clock, SystemClock
from pkg.holmes.cgroup import CgroupLimits
from pkg.holmes.readings import Kind, Readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.holmes.garbage import Collections
    from pkg.holmes.loops import Loops


class ProcessProbe:
    """A `Probe` of everything but the lag of loops.

    CPU and GC are shares of the time since the last reading: the first reading has neither.
    """

    def __init__(
        self,
        loops: Loops,
        collections: Collections,
        *,
        limits: CgroupLimits | None = None,
        clock: Clock | None = None,
        cpu_time: Callable[[], float] = time.process_time,
    ) -> None:
        """Read nothing yet.

        Args:
            loops: whose tasks are counted.
            collections: of the garbage collector.
            limits: of the control group.
            clock: measures the time between readings.
            cpu_time: seconds that the process has used.
        """
        self._loops = loops
        self._collections = collections
        self._limits = limits or CgroupLimits.find()
        self._clock = clock or SystemClock()
        self._cpu_time = cpu_time
        self._process = psutil.Process()
        self._last: tuple[float, float, float] | None = None

    def read(self) -> Readings:
        """All that can be told here."""
        found = self._since_the_last()
        memory = self._limits.memory_bytes()
        total = psutil.virtual_memory().total
        limit = total if memory is None else min(memory, total)
        found[Kind.MEMORY] = 100 * self._process.memory_info().rss / limit
        found[Kind.THREADS] = self._process.num_threads()
        blocks = sys.getallocatedblocks()
        if blocks:  # 0: Python does not use its own allocator
            found[Kind.HEAP] = blocks
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most not in (0, resource.RLIM_INFINITY):
            found[Kind.DESCRIPTORS] = 100 * self._process.num_fds() / most
        tasks = self._tasks()
        if tasks is not None:
            found[Kind.TASKS] = tasks
        return found

    def _since_the_last(self) -> dict[Kind, float]:
        now, used = self._clock.monotonic(), self._cpu_time()
        collecting = self._collections.seconds
        last, self._last = self._last, (now, used, collecting)
        if last is None or now <= last[0]:
            return {}
        seconds = now - last[0]
        return {
            Kind.CPU: 100 * (used - last[1]) / (seconds * self._cores()),
            Kind.GC: 100 * (collecting - last[2]) / seconds,
        }

    def _cores(self) -> float:
        here = available_cores()
        limit = self._limits.cores()
        return here if limit is None else min(limit, here)

    def _tasks(self) -> int | None:
        try:
            return sum(len(asyncio.all_tasks(each.loop)) for each in self._loops.all())
        except RuntimeError:  # they kept changing while they were counted
            return None


def available_cores() -> int:
    """The cores that this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
