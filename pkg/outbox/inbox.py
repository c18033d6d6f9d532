"""Once only: what makes at-least-once delivery harmless.

async with database.transaction(writes=True) as transaction:
    if await inbox.once(transaction.session, received.id, group="orders"):
        ...  # what the message is for, in the same transaction
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from pkg.database import Constraint, broken_constraint

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

    from pkg.clock import Clock
    from pkg.database import Database

_LONGEST: Final = 64


class Inbox:
    """Remembers ids of messages, for as long as they might come again. Holds no connection."""

    def __init__(self, table: Table, *, retention: timedelta, clock: Clock) -> None:
        """`table`: as `inbox_table` makes it; `retention`: how long ids are remembered."""
        self._table = table
        self._retention = retention
        self._clock = clock

    async def once(
        self, session: AsyncSession | AsyncConnection, message_id: str, group: str
    ) -> bool:
        """Whether this group has not handled the message yet; from now on it has.

        It is forgotten again if the transaction is rolled back. While another transaction
        handles the same message, this waits for how that ends.
        """
        row = {
            "consumer": group,
            "message_id": _bounded(message_id),
            "handled_at": self._clock.now(),
        }
        try:
            async with session.begin_nested():
                await session.execute(insert(self._table).values(row))
        except IntegrityError as error:
            if broken_constraint(error) is Constraint.UNIQUE:
                return False
            raise
        return True

    async def purge(self, database: Database) -> int:
        """Forget ids that are older than the retention; how many. For `pkg.app.Periodic`."""
        before = self._clock.now() - self._retention
        async with database.transaction(writes=True) as transaction:
            done = await transaction.session.execute(
                delete(self._table).where(self._table.c.handled_at < before)
            )
        return int(getattr(done, "rowcount", 0))


def _bounded(message_id: str) -> str:
    if len(message_id) <= _LONGEST and message_id.isascii():
        return message_id
    return hashlib.sha256(message_id.encode()).hexdigest()
