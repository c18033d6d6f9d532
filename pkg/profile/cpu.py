"""How much CPU time each thread has used."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

_SCHEDULED: Final = 2
_PER_THREAD: Final = 4
_SUPPORTED: Final = sys.platform == "linux"


def thread_cpu_ns(threads: Iterable[threading.Thread]) -> Mapping[int, int]:
    """Nanoseconds of CPU time by the threads' idents; threads that cannot be asked are left out.

    Linux only: elsewhere nothing is known. The clock is named by the kernel's number of the thread,
    which is safe for one that has just ended; `time.pthread_getcpuclockid` is not.
    """
    found: dict[int, int] = {}
    if not _SUPPORTED:
        return found
    for thread in threads:
        if thread.ident is None or thread.native_id is None:
            continue
        try:
            clock = ~thread.native_id << 3 | _PER_THREAD | _SCHEDULED
            found[thread.ident] = time.clock_gettime_ns(clock)
        except OSError:  # it has ended
            continue
    return found
