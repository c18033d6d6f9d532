"""How long the garbage collector stops the process."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OLDEST: Final = 2


class Collections:
    """Times the collections of the oldest generation, which look at every object.

    Collections hold the GIL, so nothing of this process runs meanwhile.
    """

    def __init__(self, timer: Callable[[], float] = time.perf_counter) -> None:
        """`timer`: seconds, to measure with; called at both ends of a collection."""
        self._timer = timer
        self._began = 0.0
        self.count = 0
        self.seconds = 0.0
        """Of all collections together."""
        self.longest = 0.0
        """Seconds of the longest."""

    def start(self) -> None:
        """Listen to the collector."""
        gc.callbacks.append(self.listen)

    def stop(self) -> None:
        """Listen no more."""
        gc.callbacks.remove(self.listen)

    def listen(self, phase: str, info: Mapping[str, Any]) -> None:
        """The collector begins or ends; called by it."""
        if info["generation"] != _OLDEST:
            return
        if phase == "start":
            self._began = self._timer()
            return
        took = self._timer() - self._began
        self.count += 1
        self.seconds += took
        self.longest = max(self.longest, took)
