"""Refresh tokens in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, select, update

from internal.user.biz import RefreshToken
from internal.user.data.models import RefreshTokenRow
from internal.user.data.repository import Repository

if TYPE_CHECKING:
    from datetime import datetime


class SqlRefreshTokenRepository(Repository):
    """Implements `RefreshTokenRepository`."""

    async def get(self, token_hash: str) -> RefreshToken | None:
        query = select(RefreshTokenRow).where(RefreshTokenRow.token_hash == token_hash)
        row = await self._row(query)
        return None if row is None else _entity(row)

    async def add(self, token: RefreshToken) -> None:
        await self._insert(
            RefreshTokenRow(
                token_hash=token.token_hash,
                family=token.family,
                uid=token.uid,
                issued_at=token.issued_at,
                expires_at=token.expires_at,
                used_at=token.used_at,
                revoked_at=token.revoked_at,
                **self._created(),
            )
        )

    async def use(self, token_hash: str, at: datetime) -> bool:
        statement = update(RefreshTokenRow).where(
            RefreshTokenRow.token_hash == token_hash,
            RefreshTokenRow.used_at.is_(None),
            RefreshTokenRow.revoked_at.is_(None),
        )
        return await self._write(statement.values(used_at=at, **self._changed())) == 1

    async def revoke_family(self, family: str, at: datetime) -> int:
        return await self._revoke(RefreshTokenRow.family == family, at)

    async def revoke_user(self, uid: str, at: datetime) -> int:
        return await self._revoke(RefreshTokenRow.uid == uid, at)

    async def purge(self, before: datetime, limit: int) -> int:
        query = select(RefreshTokenRow.id).where(RefreshTokenRow.expires_at < before)
        old = await self._rows(query.order_by(RefreshTokenRow.id).limit(limit))
        if not old:
            return 0
        return await self._write(delete(RefreshTokenRow).where(RefreshTokenRow.id.in_(old)))

    async def _revoke(self, which: ColumnElement[bool], at: datetime) -> int:
        statement = update(RefreshTokenRow).where(which, RefreshTokenRow.revoked_at.is_(None))
        return await self._write(statement.values(revoked_at=at, **self._changed()))


def _entity(row: RefreshTokenRow) -> RefreshToken:
    return RefreshToken(
        id=row.id,
        token_hash=row.token_hash,
        family=row.family,
        uid=row.uid,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
