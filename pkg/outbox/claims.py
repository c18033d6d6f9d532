"""Which messages of the outbox a relay may send now.

Any number of relays may run. Each takes messages for a while, in a short transaction, so that no
lock is held while the bus is waited for: on PostgreSQL, MySQL and MariaDB they skip each other's
locks, on SQLite one writes at a time. What was taken by a relay that died is free again when its
lease is over.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, update

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Row, Table
    from sqlalchemy.ext.asyncio import AsyncSession

    from pkg.clock import Clock
    from pkg.database import Database


class Claims:
    """What one relay does to the table."""

    def __init__(
        self, database: Database, table: Table, *, relay: str, lease: timedelta, clock: Clock
    ) -> None:
        """`relay`: a name that no other has."""
        self._database = database
        self._table = table
        self._relay = relay
        self._lease = lease
        self._clock = clock

    async def take(self, count: int) -> Sequence[Row[Any]]:
        """Up to so many messages that are ours until the lease is over, oldest first.

        Of messages with the same key, one is taken only together with all that came before it.
        """
        columns = self._table.c
        now = self._clock.now()
        async with self._database.transaction(writes=True) as transaction:
            session = transaction.session
            free = or_(columns.claimed_until.is_(None), columns.claimed_until < now)
            found = (
                await session.execute(
                    select(self._table)
                    .where(free, columns.refusal.is_(None))
                    .order_by(columns.id)
                    .limit(count)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            ours = await self._in_order(session, found)
            if ours:
                await session.execute(
                    update(self._table)
                    .where(columns.id.in_([row.id for row in ours]))
                    .values(claimed_by=self._relay, claimed_until=now + self._lease)
                )
            return ours

    async def settle(
        self, sent: Collection[int], refused: Mapping[int, str], left: Collection[int]
    ) -> None:
        """Delete what was sent, keep aside what was refused and why, and free what is left."""
        columns = self._table.c
        async with self._database.transaction(writes=True) as transaction:
            session = transaction.session
            if sent:
                await session.execute(delete(self._table).where(columns.id.in_(sent)))
            mine = columns.claimed_by == self._relay
            for each, why in refused.items():
                await session.execute(
                    update(self._table).where(columns.id == each).values(refusal=why[:500])
                )
            if left:
                await session.execute(
                    update(self._table)
                    .where(columns.id.in_(left), mine)
                    .values(claimed_by=None, claimed_until=None)
                )

    async def waiting(self) -> tuple[int, datetime | None]:
        """How many messages wait, and since when the oldest."""
        columns = self._table.c
        statement = select(func.count(), func.min(columns.created_at)).where(
            columns.refusal.is_(None)
        )
        async with self._database.transaction(writes=False) as transaction:
            count, oldest = (await transaction.session.execute(statement)).one()
        return count, oldest

    async def _in_order(
        self, session: AsyncSession, found: Sequence[Row[Any]]
    ) -> Sequence[Row[Any]]:
        """Leave out what has to wait for an earlier message that another relay has."""
        lanes = {row.lane for row in found if row.lane is not None}
        if not lanes:
            return found
        columns = self._table.c
        before = await session.execute(
            select(columns.id, columns.lane)
            .where(
                columns.lane.in_(lanes),
                columns.id <= found[-1].id,
                columns.refusal.is_(None),
            )
            .order_by(columns.id)
        )
        mine = {row.id for row in found}
        first_of_others: defaultdict[int, float] = defaultdict(lambda: float("inf"))
        for row in before:
            if row.id not in mine:
                first_of_others[row.lane] = min(first_of_others[row.lane], row.id)
        return [row for row in found if row.lane is None or row.id < first_of_others[row.lane]]
