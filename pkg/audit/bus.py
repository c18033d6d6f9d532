"""Records on the bus: one `layout.v1.OperationRecord` a message, with the subject as its key.

So the records of one user stay in order. They go to the producer itself, not through the buffer of
`pkg.bus.Publisher`: the recorder has a queue of its own, and records that wait for a bus that is
away take no room from messages that matter more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.audit.record import Record
from pkg.audit.sink import NotWrittenError
from pkg.bus.errors import DeliveryError
from pkg.bus.message import MESSAGE_ID, Message
from pkg.proto.wire_values import to_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.bus.ports import Producer
    from pkg.proto.schema import Schema

MESSAGE: Final = "layout.v1.OperationRecord"

_FIELDS: Final = Record._fields


class BusSink:
    """An `AuditSink`. `message-id` is the record's id, which an inbox goes by."""

    def __init__(self, producer: Producer, topic: str, schema: Schema) -> None:
        """Prepare.

        Args:
            producer: delivers, or says what it could not.
            topic: of the records.
            schema: has the message; every schema of a service does.

        Raises:
            KeyError: the schema has it not.
        """
        self._producer = producer
        self._topic = topic
        self._type: Any = schema.message(MESSAGE)

    async def write(self, records: Sequence[Record]) -> None:
        """Return when the bus has stored all of these."""
        sent = {each.id.encode(): each for each in records}
        try:
            await self._producer.send(*(self._message(each) for each in records))
        except DeliveryError as error:
            refused = {message.header(MESSAGE_ID) for message, _ in error.rejected}
            failed = refused | {message.header(MESSAGE_ID) for message in error.unavailable}
            raise NotWrittenError(
                str(error),
                left=[each for id_, each in sent.items() if id_ in failed - refused],
                refused=[each for id_, each in sent.items() if id_ in refused],
            ) from error

    def _message(self, record: Record) -> Message:
        facts: dict[str, Any] = dict(zip(_FIELDS, record, strict=True))
        # upb's own way from a datetime costs more than all the rest.
        took = record.duration
        facts["time"] = to_timestamp(record.time, "time")
        facts["duration"] = {
            "seconds": took.days * 86400 + took.seconds,
            "nanos": took.microseconds * 1000,
        }
        return Message(
            topic=self._topic,
            key=record.subject.encode() or None,
            value=self._type(**facts).SerializeToString(),
            headers=((MESSAGE_ID, record.id.encode()),),
        )
