"""All policies at once, for those who enforce them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from internal.user.data.models import CasbinRuleRow, PolicyVersionRow, RoleRow
from internal.user.data.policy import PTYPE
from pkg.rbac import PolicySet

if TYPE_CHECKING:
    from pkg.database import Database


class SqlPolicySource:
    """Reads what `PolicyEngine` decides by. Belongs to its database's loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> PolicySet:
        """Every rule, and who inherits from whom.

        The version is read first, so that the rules are as new as it says or newer.

        Raises:
            Fault: UNAVAILABLE or DEADLINE_EXCEEDED.
        """
        async with self._database.transaction(writes=False) as transaction:
            session = transaction.session
            version = await session.scalar(select(PolicyVersionRow.version)) or 0
            rules = await session.execute(
                select(CasbinRuleRow.v0, CasbinRuleRow.v1, CasbinRuleRow.v2)
                .where(CasbinRuleRow.ptype == PTYPE)
                .order_by(CasbinRuleRow.id)
            )
            links = await session.execute(
                select(RoleRow.role_id, RoleRow.parent_id)
                .where(RoleRow.parent_id.is_not(None))
                .order_by(RoleRow.id)
            )
            return PolicySet(
                version=version,
                rules=tuple((role, path, method) for role, path, method in rules),
                links=tuple((child, parent) for child, parent in links if parent),
            )

    async def version(self) -> int:
        """The number of the last change.

        Raises:
            Fault: UNAVAILABLE or DEADLINE_EXCEEDED.
        """
        async with self._database.transaction(writes=False) as transaction:
            return await transaction.session.scalar(select(PolicyVersionRow.version)) or 0
