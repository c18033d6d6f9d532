"""The end of a process that waits for nobody."""

from __future__ import annotations

import _thread
import logging
import os
from typing import Final

_MOMENT: Final = 0.5
"""Seconds."""


def leave(code: int) -> None:
    """End the process with this code, whatever else it is doing.

    Lines of the log that wait are written first, unless that takes longer than a moment: whoever
    has to write them may be who hangs.
    """
    written = _thread.allocate_lock()
    written.acquire()

    def write() -> None:
        try:
            logging.shutdown()
        finally:
            written.release()

    # Not by `threading`: the lock of its books may be held by what a signal has interrupted.
    _thread.start_new_thread(write, ())
    written.acquire(timeout=_MOMENT)
    os._exit(code)
