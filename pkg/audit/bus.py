"""Records on the bus: one `layout.v1.OperationRecord` a message, with the subject as its key.

So the records of one user stay in order. They go to the producer itself, not through the buffer of
`pkg.bus.Publisher`: the recorder has a queue of its own, and records that wait for a bus that is
away take no room from messages that matter more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.audit.sink import NotWrittenError
from pkg.bus.errors import DeliveryError
from pkg.bus.message import MESSAGE_ID, Message
from pkg.proto.wire_values import EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.audit.record import Record
    from pkg.bus.ports import Producer
    from pkg.proto.schema import Schema

MESSAGE: Final = "layout.v1.OperationRecord"


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
        try:
            await self._producer.send(*[self._message(each) for each in records])
        except DeliveryError as error:
            refused = {message.header(MESSAGE_ID) for message, _ in error.rejected}
            left = {message.header(MESSAGE_ID) for message in error.unavailable} - refused
            raise NotWrittenError(
                str(error),
                left=[each for each in records if each.id.encode() in left],
                refused=[each for each in records if each.id.encode() in refused],
            ) from error

    def _message(self, record: Record) -> Message:
        made = self._type()
        # Set one by one, also within the times: half of what it costs to hand upb all of them.
        (
            made.id,
            time,
            made.service,
            made.operation,
            made.transport,
            made.reason,
            took,
            made.peer,
            made.user_agent,
            made.subject,
            made.name,
            made.role,
            made.tenant,
            made.request_id,
            made.trace_id,
            made.code,
            made.http_status,
            made.request,
            made.request_truncated,
            made.reply,
            made.reply_truncated,
        ) = record
        since = time - EPOCH
        begun, lasted = made.time, made.duration
        begun.seconds = since.days * 86400 + since.seconds
        begun.nanos = since.microseconds * 1000
        lasted.seconds = took.days * 86400 + took.seconds
        lasted.nanos = took.microseconds * 1000
        return Message(
            topic=self._topic,
            key=record.subject.encode() or None,
            value=made.SerializeToString(),
            headers=((MESSAGE_ID, record.id.encode()),),
        )
