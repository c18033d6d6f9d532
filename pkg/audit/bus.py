"""Records on the bus: one `layout.v1.OperationRecord` a message, with the subject as its key.

So the records of one user stay in order. They go to the producer itself, not through the buffer of
`pkg.bus.Publisher`: the recorder has a queue of its own, and records that wait for a bus that is
away take no room from messages that matter more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.audit.sink import NotWrittenError
from pkg.bus.errors import DeliveryError
from pkg.bus.message import MESSAGE_ID, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.audit.record import Record
    from pkg.bus.ports import Producer


class BusSink:
    """An `AuditSink`. `message-id` is the record's id, which an inbox goes by."""

    def __init__(self, producer: Producer, topic: str) -> None:
        """Prepare.

        Args:
            producer: delivers, or says what it could not.
            topic: of the records.
        """
        self._producer = producer
        self._topic = topic

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
        return Message(
            topic=self._topic,
            key=record.subject.encode() or None,
            value=record.message,
            headers=((MESSAGE_ID, record.id.encode()),),
        )
