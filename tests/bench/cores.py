"""Which core is whose: the server that is measured has one for itself, the rest shares another."""

from __future__ import annotations

import os
from typing import Final

_ALLOWED: Final = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

SERVER: Final = _ALLOWED[0] if _ALLOWED else None
"""Of the server that is measured. None where the system pins nothing."""
LOAD: Final = _ALLOWED[-1] if _ALLOWED else None
"""Of the load, the benchmark itself, Redis and the collector."""


def pin(core: int | None, pid: int = 0) -> None:
    """Keep a process, and the threads and processes that it starts from now on, on one core.

    Args:
        core: None leaves it alone.
        pid: the process; 0 is this one.
    """
    if core is not None:
        os.sched_setaffinity(pid, {core})
