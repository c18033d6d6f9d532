"""One log record as ordered, clean fields: what both formats are written from."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS

from pkg.log.timestamp import Timestamps

if TYPE_CHECKING:
    import logging

    from pkg.log.redactor import Redactor

TS: Final = "ts"
LEVEL: Final = "level"
LOGGER: Final = "logger"
MSG: Final = "msg"
EXCEPTION: Final = "exception"
STACK: Final = "stack"
HEAD: Final = (TS, LEVEL, LOGGER, MSG)
"""The fields every line begins with."""

Context = Callable[[], Mapping[str, str]]
"""What is known of the call in progress: `trace_id`, `request_id`, `operation`; empty outside."""

_ABSENT: Final = object()
_RESERVED: Final = frozenset((*RESERVED_ATTRS, "taskName", "color_message"))
"""What the standard library, and uvicorn for its own colours, put on a record."""


def no_context() -> Mapping[str, str]:
    """The context of a process that serves no calls."""
    return {}


class LineMaker:
    """Turns records into fields: head, identity of the process, context, extras, exception."""

    def __init__(self, identity: Mapping[str, str], context: Context, redactor: Redactor) -> None:
        """Say `identity` on every line and ask `context` for each."""
        self._identity = dict(identity)
        self._context = context
        self.redactor = redactor
        self.timestamps = Timestamps()

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """The fields of a record, in order, as JSON-able data.

        A field of the line itself beats an extra of the same name, which then gets a `_` behind,
        unless it says the same.
        """
        extras = [(name, value) for name, value in record.__dict__.items() if name not in _RESERVED]
        message = self.message(record)
        line = self.line(record.created, record.levelname, record.name, message, extras)
        if record.exc_info and record.exc_info[1] is not None:
            line[EXCEPTION] = self.exception(record.exc_info[1])
        if record.stack_info:
            line[STACK] = self.redactor.text(record.stack_info)
        return line

    def line(
        self,
        created: float,
        level: str,
        logger: str,
        message: str,
        extras: Iterable[tuple[str, Any]],
    ) -> dict[str, Any]:
        """The fields of a line that has no exception.

        Args:
            created: seconds since 1970.
            level: its name.
            logger: its name.
            message: with its arguments.
            extras: beside the fields of the line itself.
        """
        line: dict[str, Any] = {
            TS: self.timestamps.of(created),
            **self.opening(level, logger, message),
            **{name: text for name, text in self.context().items() if text},
        }
        for name, value in extras:
            if name.startswith("_") or line.get(name, _ABSENT) == value:
                continue
            line[f"{name}_" if name in line else name] = self.redactor.field(name, value)
        return line

    def opening(self, level: str, logger: str, message: str) -> dict[str, Any]:
        """The fields between the time and the context."""
        return {
            LEVEL: level.lower(),
            LOGGER: logger,
            MSG: self.redactor.text(message),
            **self._identity,
        }

    def message(self, record: logging.LogRecord) -> str:
        """The message with its arguments, of which structured ones are cleaned first.

        A message whose arguments do not fit is shown without them: it was written by mistake, but
        what it says may matter.
        """
        message = str(record.msg)
        if not record.args:
            return message
        args: Any = record.args
        if isinstance(args, Mapping):
            args = {name: self._argument(value) for name, value in args.items()}
        else:
            args = tuple(self._argument(value) for value in args)
        try:
            return str(message % args)
        except (TypeError, ValueError, KeyError):
            return f"{message} (its arguments do not fit)"

    def context(self) -> Mapping[str, str]:
        """What is known of the call; nothing if asking fails."""
        try:
            return self._context()
        except Exception:  # noqa: BLE001 - a line without its call is better than no line
            return {}

    def exception(self, error: BaseException) -> dict[str, Any]:
        """Type, message and stack (with causes) of an exception."""
        kind = type(error)
        return {
            "type": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
            "message": self.redactor.value(error).removeprefix(f"{kind.__name__}: "),
            "stack": self.redactor.text("".join(traceback.format_exception(error))),
        }

    def _argument(self, value: Any) -> Any:
        """Numbers stay as they are for `%d` and `%.3f`; anything else is cleaned."""
        return value if isinstance(value, int | float | str) else self.redactor.value(value)
