"""Records as log lines, where there is no bus for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from pkg.audit.record import Record

_PREFIX: Final = "audit_"
"""Of every field, because `name` and others mean something else to `logging`."""


class LogSink:
    """An `AuditSink`. A line has the fields of the record, each with `audit_` before its name."""

    def __init__(self, logger: logging.Logger) -> None:
        """`logger`: one of its own, so that its lines can be sent elsewhere or turned off."""
        self._log = logger

    async def write(self, records: Sequence[Record]) -> None:
        """Log one line for each."""
        for each in records:
            extra = {_PREFIX + name: value for name, value in each._asdict().items()}
            self._log.info("%s %s", each.operation, each.reason, extra=extra)
