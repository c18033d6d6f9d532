"""Policies in the database, in casbin's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, delete, func, select, update

from internal.user.biz import Policy, PolicyFilter
from internal.user.data.models import CasbinRuleRow, PolicyVersionRow, SeededOperationRow
from internal.user.data.repository import Repository

if TYPE_CHECKING:
    from internal.user.biz import Page

PTYPE: Final = "p"
"""The only kind of rule in the table. Who inherits from whom is with the roles."""


class SqlPolicyRepository(Repository):
    """Implements `PolicyRepository`."""

    async def get(self, policy_id: int) -> Policy | None:
        return await self._one(CasbinRuleRow.id == policy_id)

    async def find(self, policy: Policy) -> Policy | None:
        return await self._one(
            CasbinRuleRow.v0 == policy.role_id,
            CasbinRuleRow.v1 == policy.path,
            CasbinRuleRow.v2 == policy.method,
        )

    async def list(self, wanted: PolicyFilter, page: Page) -> tuple[tuple[Policy, ...], int]:
        conditions = _conditions(wanted)
        total = await self._session.scalar(
            select(func.count()).select_from(CasbinRuleRow).where(*conditions)
        )
        query = select(CasbinRuleRow).where(*conditions).order_by(CasbinRuleRow.id)
        rows = await self._rows(query.limit(page.size).offset(page.offset))
        return tuple(_entity(row) for row in rows), total or 0

    async def bump(self) -> int:
        await self._write(update(PolicyVersionRow).values(version=PolicyVersionRow.version + 1))
        return await self._session.scalar(select(PolicyVersionRow.version)) or 0

    async def add(self, policy: Policy) -> Policy:
        row = CasbinRuleRow(
            ptype=PTYPE, v3="", v4="", v5="", **_changeable(policy), **self._created()
        )
        await self._insert(row)
        return _entity(row)

    async def save(self, policy: Policy) -> bool:
        statement = update(CasbinRuleRow).where(
            CasbinRuleRow.id == policy.id, CasbinRuleRow.ptype == PTYPE
        )
        return await self._write(statement.values(**_changeable(policy), **self._changed())) > 0

    async def remove(self, policy_id: int) -> bool:
        return await self._write(delete(CasbinRuleRow).where(CasbinRuleRow.id == policy_id)) > 0

    async def remove_role(self, role_id: str) -> int:
        return await self._write(delete(CasbinRuleRow).where(CasbinRuleRow.v0 == role_id))

    async def seeded(self) -> frozenset[str]:
        return frozenset(await self._rows(select(SeededOperationRow.name)))

    async def mark_seeded(self, name: str) -> None:
        known = await self._row(select(SeededOperationRow).where(SeededOperationRow.name == name))
        if known is None:
            await self._insert(SeededOperationRow(name=name, create_at=self._now))

    async def _one(self, *conditions: ColumnElement[bool]) -> Policy | None:
        row = await self._row(
            select(CasbinRuleRow).where(CasbinRuleRow.ptype == PTYPE, *conditions)
        )
        return None if row is None else _entity(row)


def _conditions(wanted: PolicyFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [CasbinRuleRow.ptype == PTYPE]
    if wanted.role_id:
        conditions.append(CasbinRuleRow.v0 == wanted.role_id)
    if wanted.path:
        conditions.append(CasbinRuleRow.v1.icontains(wanted.path, autoescape=True))
    if wanted.method:
        conditions.append(CasbinRuleRow.v2 == wanted.method.upper())
    return conditions


def _entity(row: CasbinRuleRow) -> Policy:
    return Policy(id=row.id, role_id=row.v0, path=row.v1, method=row.v2, desc=row.description)


def _changeable(policy: Policy) -> dict[str, Any]:
    return {
        "v0": policy.role_id,
        "v1": policy.path,
        "v2": policy.method,
        "description": policy.desc,
    }
