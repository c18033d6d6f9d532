"""Roles in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from internal.user.biz import Role
from internal.user.consts import MAX_ROLES
from internal.user.data.models import RoleRow
from internal.user.data.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Sequence


class SqlRoleRepository(Repository):
    """Implements `RoleRepository`."""

    async def get(self, role_id: str) -> Role | None:
        row = await self._row(select(RoleRow).where(RoleRow.role_id == role_id))
        return None if row is None else _entity(row)

    async def all(self) -> tuple[Role, ...]:
        rows = await self._rows(select(RoleRow).order_by(RoleRow.id).limit(MAX_ROLES))
        return tuple(_entity(row) for row in rows)

    async def known(self, role_ids: Sequence[str]) -> frozenset[str]:
        wanted = set(role_ids)
        if not wanted:
            return frozenset()
        query = select(RoleRow.role_id).where(RoleRow.role_id.in_(wanted))
        return frozenset(await self._rows(query))

    async def lock(self, role_id: str) -> None:
        await self._rows(select(RoleRow).where(RoleRow.role_id == role_id).with_for_update())

    async def add(self, role: Role) -> None:
        await self._insert(RoleRow(role_id=role.role_id, **_changeable(role), **self._created()))

    async def save(self, role: Role) -> bool:
        statement = update(RoleRow).where(RoleRow.role_id == role.role_id)
        return await self._write(statement.values(**_changeable(role), **self._changed())) > 0

    async def remove(self, role_id: str) -> bool:
        return await self._write(delete(RoleRow).where(RoleRow.role_id == role_id)) > 0


def _entity(row: RoleRow) -> Role:
    return Role(row.role_id, row.role_name, row.parent_id or "", row.description)


def _changeable(role: Role) -> dict[str, Any]:
    return {
        "role_name": role.role_name,
        "parent_id": role.parent_id or None,
        "description": role.desc,
    }
