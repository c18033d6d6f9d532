"""Exceptions that nobody catches: logged, and told to people.

Wherever Python hands such an exception to a hook, `ExceptionHooks` comes first, and then what was
there before: at the end of the main thread, at the end of a thread, in a finalizer, in an event
loop. A crash of the interpreter itself (a segmentation fault) leaves the stacks of all threads
through faulthandler.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import sys
import threading
import traceback
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from pkg.alert import Alert, Alerts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

TOPIC: Final = "panic"
_LOG: Final = logging.getLogger(__name__)
_LONGEST: Final = 16_384
"""Characters of a stack that an alert has; the innermost frames are kept."""


class ExceptionHooks:
    """A context manager: hooks are there inside it, and what was there before after it.

    A hook that someone else has put before ours is left alone; ours then only passes on.
    """

    def __init__(
        self, alerts: Alerts, *, fault_file: Path | None = None, logger: logging.Logger = _LOG
    ) -> None:
        """Install nothing yet.

        Args:
            alerts: told of every exception.
            fault_file: for the stacks of a crash, added to what it has; stderr without one.
            logger: told of every exception.
        """
        self._alerts = alerts
        self._fault_file = fault_file
        self._log = logger
        self._on = False
        self._held = ExitStack()
        self._before = sys.excepthook
        self._before_thread = threading.excepthook
        self._before_unraisable = sys.unraisablehook

    def __enter__(self) -> Self:
        """Install the hooks.

        Raises:
            OSError: the file for crashes cannot be opened.
        """
        with ExitStack() as held:
            self._turn_faulthandler_on(held)
            self._before = sys.excepthook
            self._before_thread = threading.excepthook
            self._before_unraisable = sys.unraisablehook
            sys.excepthook = self._uncaught
            threading.excepthook = self._uncaught_in_thread
            sys.unraisablehook = self._unraisable
            self._on = True
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what was there."""
        self._on = False
        if sys.excepthook == self._uncaught:
            sys.excepthook = self._before
        if threading.excepthook == self._uncaught_in_thread:
            threading.excepthook = self._before_thread
        if sys.unraisablehook == self._unraisable:
            sys.unraisablehook = self._before_unraisable
        self._held.close()

    @contextmanager
    def loop(self) -> Iterator[None]:
        """Handle the exceptions of the loop that this is entered in, until it is left."""
        loop = asyncio.get_running_loop()
        before = loop.get_exception_handler()

        def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            error = context.get("exception")
            message = context.get("message", "an error in an event loop")
            if error is None:
                self._tell(f"event loop: {message}", message)
            else:
                self._tell(_title("unhandled exception in an event loop", error), message, error)
            if before is not None:  # without one, asyncio would only log the same again
                before(loop, context)

        loop.set_exception_handler(handle)
        try:
            yield
        finally:
            if loop.get_exception_handler() is handle:
                loop.set_exception_handler(before)

    def _turn_faulthandler_on(self, held: ExitStack) -> None:
        """Unless it is on: then someone has said already where its stacks go."""
        if faulthandler.is_enabled():
            return
        file: Any = sys.stderr
        if self._fault_file is not None:
            file = held.enter_context(self._fault_file.open("a", encoding="utf-8"))
        try:
            faulthandler.enable(file)
        except (RuntimeError, ValueError, OSError) as error:  # stderr is closed, or no real file
            self._log.warning("a crash will leave no stacks: %s", error)
        else:
            held.callback(faulthandler.disable)

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, stack: TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            self._tell(_title("uncaught exception", error), "the main thread ends", error)
        self._before(kind, error, stack)

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            name = "a thread" if args.thread is None else f"thread {args.thread.name}"
            title = _title("uncaught exception in a thread", args.exc_value)
            self._tell(title, f"{name} ends", args.exc_value)
        self._before_thread(args)

    def _unraisable(self, args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            # Not its object: that may be half gone, and must not be kept.
            what = args.err_msg or "Exception ignored"
            title = _title("exception where none can be raised", args.exc_value)
            self._tell(title, what, args.exc_value)
        self._before_unraisable(args)

    def _tell(self, title: str, what: str, error: BaseException | None = None) -> None:
        if not self._on:
            return
        # A hook that fails would hide the exception that it was called for.
        with contextlib.suppress(Exception):
            self._log.error("%s: %s", title, what, exc_info=error)
            stack = "" if error is None else "".join(traceback.format_exception(error))
            self._alerts.send(
                Alert(topic=TOPIC, title=title, detail=f"{what}\n{stack[-_LONGEST:]}")
            )


def _title(where: str, error: BaseException) -> str:
    return f"{where}: {type(error).__name__}"
