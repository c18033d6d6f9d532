"""Lines that are written often and look alike: how each call ended, for one.

Each is what `logger.log(level, message, extra={**common, **fields})` would write, but cannot say
which line of code has logged. Use it where that is nobody's concern.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import logging

Write = Callable[[Mapping[str, Any]], None]
"""Writes one line with these fields beside the common ones, if its level is wanted. Any thread may
call it.
"""


class Lines(Protocol):
    """Where they go."""

    def alike(self, level: int, message: str, common: Mapping[str, Any]) -> Write:
        """What writes lines of one kind. Make it once, and keep it.

        Args:
            level: of `logging`.
            message: as it is: no `%` in it means anything.
            common: fields that all of them have, before their own. Fields go by names that a
                log record has not.
        """
        ...


class LoggedLines:
    """`Lines` that are records of a logger: whoever listens to it hears them."""

    def __init__(self, logger: logging.Logger) -> None:
        """Log to `logger`."""
        self._logger = logger

    def alike(self, level: int, message: str, common: Mapping[str, Any]) -> Write:
        """What logs records of one kind."""
        logger, name = self._logger, self._logger.name

        def write(fields: Mapping[str, Any]) -> None:
            if not logger.isEnabledFor(level):
                return
            # Made by hand: `logger.log` would look for the line of code that logs.
            extra = {**common, **fields}
            logger.handle(logger.makeRecord(name, level, "", 0, message, (), None, extra=extra))

        return write
