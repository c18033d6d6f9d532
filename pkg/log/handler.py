"""Writes lines to a stream, at once and without ever raising into the caller."""

from __future__ import annotations

import logging
from typing import TextIO

from pkg.log.line import timestamp


class StreamLines(logging.StreamHandler[TextIO]):
    """Writes and flushes each record before it returns, so that no line is lost at exit.

    A record that cannot be formatted leaves a line that says so; a stream that cannot be written
    (a closed pipe) loses lines silently, because there is nowhere left to say it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            try:
                text = self.format(record)
            except Exception as error:  # noqa: BLE001 - logging never raises into the caller
                text = (
                    f'{{"ts":"{timestamp(record.created)}","level":"error","logger":"pkg.log",'
                    f'"msg":"a record could not be formatted: {type(error).__name__}"}}'
                )
            try:
                self.stream.write(text + self.terminator)
            except UnicodeEncodeError:  # lone surrogates, or a stream that is not UTF-8
                self.stream.write(
                    text.encode("ascii", "backslashreplace").decode() + self.terminator
                )
            self.flush()
        except (OSError, ValueError):  # a broken pipe, or a stream that was closed
            return
