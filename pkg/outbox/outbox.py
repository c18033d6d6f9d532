"""Messages that are sent if, and only if, the transaction that they belong to is committed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from sqlalchemy import insert

from pkg.bus import Message, identified
from pkg.bus.trace import Inject, no_trace, traced

if TYPE_CHECKING:
    from sqlalchemy import Row, Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

    from pkg.clock import Clock
    from pkg.tokens import Tokens


class Outbox:
    """Keeps messages in a table, for a `Relay` to send. Holds no connection."""

    def __init__(
        self, table: Table, *, clock: Clock, tokens: Tokens, inject: Inject = no_trace
    ) -> None:
        """Prepare.

        Args:
            table: as `outbox_table` makes it.
            clock: tells since when a message waits.
            tokens: make the ids of messages that have none.
            inject: see `pkg.bus.trace`.
        """
        self._table = table
        self._clock = clock
        self._tokens = tokens
        self._inject = inject

    async def add(self, session: AsyncSession | AsyncConnection, message: Message) -> None:
        """Have a message sent once the transaction is committed.

        Messages with the same topic and key are sent in the order in which their transactions
        added them, if each of those transactions had locked what the key stands for.
        """
        message = traced(identified(message, self._tokens), self._inject)
        await session.execute(
            insert(self._table).values(
                topic=message.topic,
                message_key=message.key,
                value=message.value,
                headers=_headers_in(message),
                lane=_lane(message),
                created_at=self._clock.now(),
            )
        )


def message_of(row: Row[tuple[object, ...]]) -> Message:
    """The message that a row of the table holds."""
    texts = json.loads(row.headers)
    return Message(
        topic=row.topic,
        value=bytes(row.value),
        key=None if row.message_key is None else bytes(row.message_key),
        headers=tuple((name, text.encode("latin-1")) for name, text in texts),
    )


def _headers_in(message: Message) -> bytes:
    return json.dumps([(name, value.decode("latin-1")) for name, value in message.headers]).encode()


def _lane(message: Message) -> int | None:
    if message.key is None:
        return None
    digest = hashlib.sha256(message.topic.encode() + b"\0" + message.key).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
