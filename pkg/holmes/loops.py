"""How long event loops take to answer: those that are blocked right now are seen too.

Each loop is asked to run a function, and asked again once it has. A loop that has not answered yet
lags by at least the time since it was asked.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pkg.clock import Clock, SystemClock
from pkg.holmes.readings import Kind, Readings

if TYPE_CHECKING:
    from collections.abc import Iterator


class WatchedLoop:
    """One loop and what is known of it. Read by the watchdog, answered in the loop."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self.name = name
        self.loop = loop
        self.thread: int | None = None
        """Ident of the thread that it runs in, once it has answered."""
        self.lag = 0.0
        """Seconds, as of the last reading."""
        self._clock = clock
        self._asked_at: float | None = None
        # Appending and popping are atomic: a lock could make the loop wait for the watchdog.
        self._answers: deque[float] = deque(maxlen=16)

    def read(self) -> float:
        """Seconds that it took to answer since the last time, or has taken so far; ask again."""
        if not self.loop.is_running():
            self._asked_at, self.lag = None, 0.0
            return self.lag
        asked_at = self._asked_at
        worst = 0.0 if asked_at is None else self._clock.monotonic() - asked_at
        while self._answers:
            worst = max(worst, self._answers.popleft())
        if asked_at is None:
            self._asked_at = self._clock.monotonic()
            try:
                self.loop.call_soon_threadsafe(self._answer, self._asked_at)
            except RuntimeError:  # closed a moment ago
                self._asked_at = None
        self.lag = worst
        return self.lag

    def _answer(self, asked_at: float) -> None:
        self.thread = threading.get_ident()
        self._answers.append(self._clock.monotonic() - asked_at)
        self._asked_at = None


class Loops:
    """The event loops of the process; a `Probe` of their lag. May be used by any thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        """`clock`: measures the lag."""
        self._clock = clock or SystemClock()
        self._loops: tuple[WatchedLoop, ...] = ()
        self._lock = threading.Lock()

    @contextmanager
    def watched(self, name: str) -> Iterator[None]:
        """Watch the loop that this is entered in, until it is left."""
        watched = WatchedLoop(name, asyncio.get_running_loop(), self._clock)
        watched.thread = threading.get_ident()
        with self._lock:
            self._loops = (*self._loops, watched)
        try:
            yield
        finally:
            with self._lock:
                self._loops = tuple(each for each in self._loops if each is not watched)

    def all(self) -> tuple[WatchedLoop, ...]:
        """Those that are watched now."""
        return self._loops

    def read(self) -> Readings:
        """The lag of the slowest."""
        lags = [watched.read() for watched in self._loops]
        return {Kind.LAG: max(lags) * 1000} if lags else {}
