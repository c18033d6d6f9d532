"""Hands lines to the writer, without ever raising into the caller."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pkg.log.timestamp import timestamp

if TYPE_CHECKING:
    from pkg.log.writer import LineWriter


class StreamLines(logging.Handler):
    """Each record as a line. A warning, and what is worse, is written before it returns.

    A record that cannot be formatted leaves a line that says so.
    """

    def __init__(self, writer: LineWriter) -> None:
        """Hand lines to `writer`, which is closed with the handler."""
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            text = self.format(record)
        except Exception as error:  # noqa: BLE001 - logging never raises into the caller
            text = unformattable(record.created, error)
        self._writer.put(f"{text}\n", urgent=record.levelno >= logging.WARNING)

    def flush(self) -> None:
        """Write what waits."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits, and wait no more."""
        self._writer.close()
        super().close()


def unformattable(created: float, error: Exception) -> str:
    """The line that stands for one that could not be made."""
    return (
        f'{{"ts":"{timestamp(created)}","level":"error","logger":"pkg.log",'
        f'"msg":"a record could not be formatted: {type(error).__name__}"}}'
    )
