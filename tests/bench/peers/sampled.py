"""Samples the main thread of a server by its CPU time, if the benchmark asks for it.

Every millisecond of CPU time of the process a signal comes, and the stack that it meets is counted.
Meant for a server whose work is on its main thread; what runs without the interpreter is counted
with the Python function that called it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

TO: Final = "BENCH_STACKS"
"""Variable with the file that the stacks are written to when the process ends."""
_EVERY: Final = 0.001
"""Seconds of CPU time."""
_DEEPEST: Final = 80


def sample_if_asked() -> None:
    """Begin, where the variable is set. SIGUSR1 forgets what has been counted."""
    to = os.environ.get(TO)
    if not to:
        return
    stacks: Counter[str] = Counter()

    def count(_signal: int, frame: FrameType | None) -> None:
        names: list[str] = []
        while frame is not None and len(names) < _DEEPEST:
            code = frame.f_code
            names.append(f"{_short(code.co_filename)}:{code.co_qualname}")
            frame = frame.f_back
        stacks[";".join(reversed(names))] += 1

    def write() -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = (f"{stack} {hits}\n" for stack, hits in stacks.items())
        Path(to).write_text("".join(lines), encoding="utf-8")

    signal.signal(signal.SIGPROF, count)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again at its end
    signal.signal(signal.SIGUSR1, lambda *_: stacks.clear())
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    atexit.register(write)


def _short(file: str) -> str:
    """`pkg/http/app.py`, `redis/asyncio/client.py`: without where it is installed."""
    for mark in ("/site-packages/", "/python3.11/", "/python3.12/", "/python3.13/"):
        _, found, rest = file.rpartition(mark)
        if found:
            return rest
    parts = Path(file).parts
    for root in ("pkg", "internal", "tests", "cmd", "api"):
        if root in parts:
            return "/".join(parts[parts.index(root) :])
    return file
