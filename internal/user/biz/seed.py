"""What is there after the first start: roles, policies, menus and an administrator.

Policies come from the operations themselves, so that they cannot drift. An operation is seeded
once: one that a new version brings is granted at the next start, and a policy that an administrator
has deleted stays deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from internal.user.biz.identifiers import new_password, new_uid
from internal.user.biz.policy import Policy, PolicyChanged
from internal.user.biz.role import Role
from internal.user.biz.seed_menu import CATCH_ALL, LAYOUT, LAYOUT_ENTRIES
from internal.user.biz.setting import Setting
from internal.user.biz.user import User
from internal.user.consts import ROLE_ADMIN, ROLE_SERVICE, ROLE_USER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from internal.user.biz.security import PasswordHasher, TokenSource
    from internal.user.biz.unit_of_work import Transactions, UnitOfWork
    from pkg.clock import Clock

ROLES = (
    Role(ROLE_ADMIN, "Administrator", desc="May call every operation"),
    Role(ROLE_USER, "User", desc="What a registered user has"),
    Role(ROLE_SERVICE, "Service", desc="Other services"),
)


@dataclass(frozen=True, slots=True)
class SeedOperation:
    """One operation that needs a permission."""

    name: str
    """`package.Service/Method`; what is remembered."""
    resource: str
    action: str
    grants: tuple[str, ...] = ()
    """Roles that may call it, beside the administrator."""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a start has added."""

    first: bool = False
    """Whether there was no user before."""
    operations: int = 0
    """How many operations got their policies."""
    admin_name: str = ""
    """The administrator that was made at the first start."""
    admin_password: str = field(default="", repr=False)
    """Only where it was made up: this is the one time that it is told."""


class SeedUsecase:
    """Brings the database to where a start needs it. Runs at every start, of every replica."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        hasher: PasswordHasher,
        tokens: TokenSource,
        changed: PolicyChanged,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._hasher = hasher
        self._tokens = tokens
        self._changed = changed
        self._clock = clock

    async def run(
        self,
        operations: Sequence[SeedOperation],
        *,
        admin_name: str = "admin",
        admin_password: str = "",
    ) -> Seeded:
        """Add what is missing. Of replicas that start together one adds and the others find it.

        Args:
            operations: those that need a permission.
            admin_name: the administrator that the first start makes.
            admin_password: its password; made up where it is empty.

        Raises:
            ValueError: an operation is granted to a role that there is not.
        """
        async with self._transactions.reading() as work:
            first = not await work.users.any()
            seeded = await work.policies.seeded()
        if not first and all(operation.name in seeded for operation in operations):
            return Seeded()
        password = admin_password or new_password(self._tokens)
        encoded = await self._hasher.hash(password) if first else ""
        async with self._transactions.writing(by="") as work:
            version = await work.policies.bump()
            work.after_commit(lambda: self._changed.policy_changed(version))
            first = not await work.users.any()
            if first:
                await self._first(work, admin_name, encoded)
            added = await self._policies(work, operations)
        if not first:
            return Seeded(operations=added)
        return Seeded(True, added, admin_name, "" if admin_password else password)

    async def _first(self, work: UnitOfWork, admin_name: str, encoded: str) -> None:
        known = await work.roles.known([role.role_id for role in ROLES])
        for role in ROLES:
            if role.role_id not in known:
                await work.roles.add(role)
        admin = User(
            uid=new_uid(self._clock.now(), self._tokens),
            user_name=admin_name,
            password=encoded,
            role_id=ROLE_ADMIN,
            nick_name="Administrator",
        )
        await work.users.add(admin)
        await work.settings.add(Setting(admin.uid))
        layout = await work.menus.add(LAYOUT)
        for entry in LAYOUT_ENTRIES:
            await work.menus.add(replace(entry, parent_id=layout.id))
        await work.menus.add(CATCH_ALL)

    async def _policies(self, work: UnitOfWork, operations: Sequence[SeedOperation]) -> int:
        seeded = await work.policies.seeded()
        new = [operation for operation in operations if operation.name not in seeded]
        roles = {role.role_id for role in await work.roles.all()}
        for operation in new:
            for role_id in dict.fromkeys((ROLE_ADMIN, *operation.grants)):
                if role_id not in roles:
                    raise ValueError(f"{operation.name} is granted to {role_id}: no such role")
                policy = Policy(role_id, operation.resource, operation.action, operation.summary)
                if await work.policies.find(policy) is None:
                    await work.policies.add(policy)
            await work.policies.mark_seeded(operation.name)
        return len(new)
