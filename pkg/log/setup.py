"""Puts the process's logging in order, and back again.

Everything that logs through the standard library (our code, uvicorn, grpc, SQLAlchemy, Python
warnings) comes out in one format on one stream. Nothing happens at import.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Self, TextIO

from pkg.log.direct import DirectLines
from pkg.log.formats import Console, JsonLines
from pkg.log.handler import StreamLines
from pkg.log.line import Context, LineMaker, no_context
from pkg.log.lines import LoggedLines
from pkg.log.redactor import Redactor
from pkg.log.writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from pkg.config.sections import LogSettings
    from pkg.log.lines import Lines

QUIET: Final = {
    "alembic.runtime.plugins": "warning",
    "asyncio": "warning",
    "httpx": "warning",
    "uvicorn": "warning",
    "watchfiles": "warning",
}
"""Loggers that tell too much at `info`; `levels` in the settings overrides each."""
_TAKEN_OVER: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "grpc")
"""Loggers that may have handlers of their own."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What every line says of the process."""

    service: str
    version: str
    env: str
    worker: str = ""
    """Its name, where it is one of several; not said where it is alone."""


class LogHandle:
    """Logging as it was set up. `close` restores what was before."""

    def __init__(
        self,
        handler: logging.Handler,
        manager: logging.Manager,
        lines: Callable[[logging.Logger], Lines],
    ) -> None:
        """Send everything that the loggers of `manager` log to `handler` from now on.

        Args:
            handler: closed with the handle.
            manager: of the loggers.
            lines: makes what `lines` gives.
        """
        self._manager = manager
        self._lines = lines
        self._root = manager.root
        self._handler = handler
        self._closed = False
        self._handlers = self._root.handlers[:]
        self._levels: dict[str, int] = {}
        self._others: dict[str, tuple[list[logging.Handler], bool]] = {}
        self._root_level = self._root.level
        self._root.handlers = [handler]
        for name in _TAKEN_OVER:
            logger = self._manager.getLogger(name)
            self._others[name] = (logger.handlers[:], logger.propagate)
            logger.handlers, logger.propagate = [], True
        logging.captureWarnings(True)

    def apply(self, settings: LogSettings) -> None:
        """Take the levels of `settings`; may be called again after a reload."""
        self._restore_levels()
        self._root.setLevel(settings.level.upper())
        for name, level in {**QUIET, **settings.levels}.items():
            logger = self._manager.getLogger(name)
            self._levels[name] = logger.level
            logger.setLevel(level.upper())

    def lines(self, logger: logging.Logger) -> Lines:
        """For what one of the loggers says often: the quickest way that the format allows."""
        return self._lines(logger)

    def close(self) -> None:
        """Flush, and restore handlers and levels. Does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        self._restore_levels()
        self._root.setLevel(self._root_level)
        self._root.handlers = self._handlers
        for name, (handlers, propagate) in self._others.items():
            logger = self._manager.getLogger(name)
            logger.handlers, logger.propagate = handlers, propagate
        logging.captureWarnings(False)
        self._handler.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _restore_levels(self) -> None:
        for name, level in self._levels.items():
            self._manager.getLogger(name).setLevel(level)
        self._levels = {}


def setup(
    settings: LogSettings,
    identity: Identity,
    *,
    context: Context = no_context,
    redactor: Redactor | None = None,
    stream: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    manager: logging.Manager | None = None,
) -> LogHandle:
    """Log as `settings` say, until the handle is closed.

    Lines wait for `settings.flush` at most, to be written together; warnings, and what is worse,
    are written at once with all that waits before them, and so is everything on a terminal. What
    waits is written at the end of the process, too, unless it ends without a chance to.

    Args:
        settings: levels and format.
        identity: said on every JSON line.
        context: asked at every line for what is known of the call in progress.
        redactor: knows what is sensitive; without one, only what is sensitive everywhere.
        stream: where lines go; standard output if none is given.
        environ: a variable `NO_COLOR` in it turns colours off.
        manager: whose loggers are set up; those of the process if none is given.
    """
    out = sys.stdout if stream is None else stream
    said = {name: text for name, text in asdict(identity).items() if name != "worker" or text}
    clean = redactor or Redactor(max_text=settings.max_value)
    maker = LineMaker(said, context, clean)
    terminal = _is_terminal(out)
    json = settings.format == "json" or (settings.format == "auto" and not terminal)
    writer = LineWriter(out, timedelta(0) if terminal and not json else settings.flush)
    handler = StreamLines(writer)
    lines: Callable[[logging.Logger], Lines] = LoggedLines
    if json:
        format_ = JsonLines(maker)
        handler.setFormatter(format_)
        lines = partial(DirectLines, handler=handler, maker=maker, json=format_, writer=writer)
    else:
        colour = terminal and not (environ or {}).get("NO_COLOR")
        handler.setFormatter(Console(maker, colour=colour, hidden=frozenset(said)))
    handle = LogHandle(handler, manager or logging.getLogger().manager, lines)
    handle.apply(settings)
    return handle


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False
