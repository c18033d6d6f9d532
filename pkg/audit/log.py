"""Records as log lines, where there is no bus for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.audit.record import MESSAGE
from pkg.proto.wire_values import TIMESTAMP, from_duration, from_timestamp

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from google.protobuf.descriptor import FieldDescriptor

    from pkg.audit.record import Record
    from pkg.proto.schema import Schema

_PREFIX: Final = "audit_"
"""Of every field, because `name` and others mean something else to `logging`."""


class LogSink:
    """An `AuditSink`. A line has the fields of the record, each with `audit_` before its name."""

    def __init__(self, logger: logging.Logger, schema: Schema) -> None:
        """Prepare.

        Args:
            logger: one of its own, so that its lines can be sent elsewhere or turned off.
            schema: has the message; every schema of a service does.

        Raises:
            KeyError: the schema has it not.
        """
        self._log = logger
        self._type: Any = schema.message(MESSAGE)

    async def write(self, records: Sequence[Record]) -> None:
        """Log one line for each."""
        for each in records:
            found = self._type.FromString(each.message)
            extra = {_PREFIX + field.name: _value(found, field) for field in _fields(found)}
            self._log.info("%s %s", found.operation, found.reason, extra=extra)


def _fields(message: Any) -> Sequence[FieldDescriptor]:
    fields: Sequence[FieldDescriptor] = message.DESCRIPTOR.fields
    return fields


def _value(message: Any, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    kind = field.message_type
    if kind is None:
        return value
    return from_timestamp(value) if kind.full_name == TIMESTAMP else from_duration(value)
