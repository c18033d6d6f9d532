"""Runs an app as a process does: a fast loop, signals, an exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvloop

from pkg.app.errors import AppError
from pkg.app.leave import leave
from pkg.app.signals import ECHO, Signals
from pkg.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from signal import Signals as Signal

    from pkg.app.app import App

SWITCH: Final = 0.0005
"""Seconds for which a thread may keep others from running. Loops of other transports wait for one
that is saturated: with Python's 5 ms that is felt in their 99th percentile."""

OK: Final = 0
FAILED: Final = 1

_LOG: Final = logging.getLogger(__name__)


def run(
    app: App,
    *,
    logger: logging.Logger = _LOG,
    echo: timedelta = ECHO,
    exit_process: Callable[[int], Any] = leave,
) -> int:
    """Run the app on a loop of its own until it stops; returns the exit code of the process.

    0: it was asked to stop and did. 1: it did not start, a component ended by itself, or one did
    not stop; the reason is logged, and is one line on standard error. A second signal, or a
    component that cannot be got rid of, ends the process at once by `exit_process`.
    """
    code = OK
    with _sharing(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        loop = runner.get_loop()

        def ask(signal: Signal) -> None:
            logger.info("%s: asked to stop", signal.name)
            loop.call_soon_threadsafe(app.stop)

        async def live() -> None:
            with Signals(ask, clock=SystemClock(), echo=echo, exit_process=exit_process):
                await app.run()

        try:
            runner.run(live())
        except AppError as error:
            code = FAILED
            logger.critical("%s", error, exc_info=error)
            sys.stderr.write(f"{app.name}: {error}\n")
        if app.abandoned:
            # Closing the loop would wait for these for ever.
            logger.critical("still running, exit at once: %s", ", ".join(app.abandoned))
            sys.stderr.flush()
            exit_process(code or FAILED)
    return code


@contextmanager
def _sharing() -> Iterator[None]:
    """Have the interpreter switch between threads more often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
