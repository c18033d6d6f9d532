"""The probe's rows in the database."""

from __future__ import annotations

from sqlalchemy import select

from internal.user.biz import PerfRecord
from internal.user.data.models import DebugPerfRow
from internal.user.data.repository import Repository


class SqlPerfRepository(Repository):
    """Implements `PerfRepository`."""

    async def add(self, record: PerfRecord) -> int:
        row = DebugPerfRow(
            uid=record.uid,
            username=record.user_name,
            motto=record.motto,
            text=record.text,
            **self._created(),
        )
        await self._insert(row)
        return row.id

    async def get(self, record_id: int) -> PerfRecord | None:
        row = await self._row(select(DebugPerfRow).where(DebugPerfRow.id == record_id))
        return None if row is None else _entity(row)


def _entity(row: DebugPerfRow) -> PerfRecord:
    return PerfRecord(
        id=row.id,
        uid=row.uid,
        user_name=row.username,
        motto=row.motto,
        text=row.text,
        create_at=row.create_at,
        create_user=row.create_user,
    )
