"""A circuit breaker.

Closed, it lets every call through and counts. When too many fail it opens, and refuses calls at
once. After a while it is half open: a few calls are let through, and their outcome closes or
reopens it. A call that began before the state changed tells nothing of the new state and is not
counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from pkg.breaker.metrics import BreakerMetrics
from pkg.breaker.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.breaker.settings import BreakerSettings
    from pkg.clock import Clock

IsFailure = Callable[[Exception], "bool | None"]
"""Whether an exception says that what is called is not well. A refusal for good reason does not.

None where it says nothing either way; then the call counts as one that was cancelled.
"""


class State(Enum):
    """What a breaker does with a call; the value is what the metric shows."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class CircuitOpenError(Exception):
    """The call was not made, because earlier ones failed."""

    def __init__(self, name: str, retry_after: float) -> None:
        """`retry_after`: seconds until a call may be let through again; 0 if one is on its way."""
        self.retry_after = retry_after
        super().__init__(f"{name} is left alone after failures, for {retry_after:.1f} s more")


def every_exception(_error: Exception) -> bool:
    """Any exception counts as a failure."""
    return True


class CircuitBreaker:
    """Guards the calls to one thing. Any thread may use it, on any event loop."""

    def __init__(
        self,
        name: str,
        settings: BreakerSettings,
        *,
        clock: Clock,
        is_failure: IsFailure = every_exception,
        metrics: BreakerMetrics | None = None,
    ) -> None:
        """Begin closed.

        Args:
            name: of what is called, in errors and metrics.
            settings: when to open, and for how long.
            clock: its monotonic time.
            is_failure: what counts, where `guard` is not told otherwise.
            metrics: shared by the breakers of a process.
        """
        self.name = name
        self._settings = settings
        self._clock = clock
        self._is_failure = is_failure
        metrics = metrics or BreakerMetrics(CollectorRegistry())
        self._shown = metrics.state.labels(name)
        self._ok, self._failed, self._refused, self._cancelled = (
            metrics.calls.labels(name, outcome)
            for outcome in ("ok", "failed", "refused", "cancelled")
        )
        self._window = Window(settings.window.total_seconds())
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._era = 0
        """Counts the changes of state, to know the calls of an earlier one."""
        self._in_a_row = 0
        self._opened_at = 0.0
        self._probing = 0
        self._probed = 0

    @property
    def state(self) -> State:
        """What it did with the last call; it becomes half open with the call that tries."""
        return self._state

    @property
    def retry_after(self) -> float:
        """Seconds until a call is let through; 0 if one may be now."""
        with self._lock:
            return self._left()

    @contextmanager
    def guard(self, is_failure: IsFailure | None = None) -> Iterator[None]:
        """Around one call, also one that is awaited. Calls must end: give them a deadline.

        Args:
            is_failure: what counts, for this call alone.

        Raises:
            CircuitOpenError: the call must not be made.
        """
        era = self._enter()
        try:
            yield
        except Exception as error:
            failed = (is_failure or self._is_failure)(error)
            if failed is None:
                self._give_back(era)
            else:
                self._exit(era, failed=failed)
            raise
        except BaseException:  # cancelled: it says nothing of what was called
            self._give_back(era)
            raise
        else:
            self._exit(era, failed=False)

    def _left(self) -> float:
        if self._state is not State.OPEN:
            return 0.0
        open_for = self._settings.open_for.total_seconds()
        return max(0.0, self._opened_at + open_for - self._clock.monotonic())

    def _enter(self) -> int:
        with self._lock:
            left = self._left()
            if self._state is State.OPEN and left <= 0:
                self._become(State.HALF_OPEN)
            if self._state is State.OPEN or (
                self._state is State.HALF_OPEN
                and self._probing + self._probed >= self._settings.probes
            ):
                self._refused.inc()
                raise CircuitOpenError(self.name, left)
            if self._state is State.HALF_OPEN:
                self._probing += 1
            return self._era

    def _exit(self, era: int, *, failed: bool) -> None:
        (self._failed if failed else self._ok).inc()
        with self._lock:
            if era != self._era:
                return
            if self._state is State.HALF_OPEN:
                self._probing -= 1
                self._probed += 1
                if failed:
                    self._become(State.OPEN)
                elif self._probed >= self._settings.probes:
                    self._become(State.CLOSED)
                return
            self._in_a_row = self._in_a_row + 1 if failed else 0
            calls, failures = self._window.add(self._clock.monotonic(), failed=failed)
            if self._in_a_row >= self._settings.consecutive or (
                calls >= self._settings.min_calls and failures >= calls * self._settings.ratio
            ):
                self._become(State.OPEN)

    def _give_back(self, era: int) -> None:
        self._cancelled.inc()
        with self._lock:
            if era == self._era and self._state is State.HALF_OPEN:
                self._probing -= 1

    def _become(self, state: State) -> None:
        self._state = state
        self._era += 1
        self._shown.set(state.value)
        self._in_a_row = self._probing = self._probed = 0
        self._window.clear()
        if state is State.OPEN:
            self._opened_at = self._clock.monotonic()
