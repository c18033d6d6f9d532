"""SIGTERM and SIGINT: the first asks, the second insists.

The same signal again within a moment is an echo, not a second wish: a launcher forwards what the
terminal has sent to the whole group already.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pkg.app.leave import leave

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pkg.clock import Clock

ECHO: Final = timedelta(milliseconds=500)
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_BY_SIGNAL: Final = 128
"""Exit code of a process that a signal ended, less the number of the signal."""


class Signals:
    """Handlers for as long as the `with` block lasts; those from before are put back.

    Handlers are Python's own, not the loop's: so a second signal ends the process even when the
    loop hangs in a computation. Only the main thread can install them.
    """

    def __init__(
        self,
        stop: Callable[[signal.Signals], None],
        *,
        clock: Clock,
        echo: timedelta = ECHO,
        exit_process: Callable[[int], Any] = leave,
    ) -> None:
        """Call `stop` at the first signal, in the main thread between two instructions.

        At the second, call `exit_process` with 130 (SIGINT) or 143 (SIGTERM). The first one's
        number again within `echo` of it is passed over.
        """
        self._stop = stop
        self._clock = clock
        self._echo = echo.total_seconds()
        self._exit = exit_process
        self._first: tuple[int, float] | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._mask: set[int | signal.Signals] = set()

    def __enter__(self) -> None:
        """Install the handlers, and let the signals through: a launcher may have blocked them."""
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        self._mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def __exit__(self, *_: object) -> None:
        """Put back what was before."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        now = self._clock.monotonic()
        if self._first is not None:
            asked, at = self._first
            if number == asked and now - at < self._echo:
                return
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"forced to exit at once\n")
            self._exit(_BY_SIGNAL + number)
            return
        self._first = (number, now)
        self._stop(signal.Signals(number))
