"""Records as log lines, where there is no bus for them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from pkg.audit.record import Record

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

_FIELDS: Final = tuple(field.name for field in fields(Record))
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
            extra = {_PREFIX + name: getattr(each, name) for name in _FIELDS}
            self._log.info("%s %s", each.operation, each.reason, extra=extra)
