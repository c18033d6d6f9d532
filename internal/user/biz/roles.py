"""Keeping roles, and giving them to users."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.lineage import lineage, misplaced
from internal.user.biz.revocation import save_and_revoke
from internal.user.biz.role import Role, parents_of
from internal.user.biz.unit_of_work import Dangling, Taken, Transactions, UnitOfWork
from internal.user.biz.users import leaves_no_admin
from internal.user.consts import BUILT_IN_ROLES, MAX_ROLE_DEPTH, MAX_ROLES, ROLE_ADMIN
from pkg.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from internal.user.biz.actor import Actor
    from internal.user.biz.policy import PolicyChanged
    from internal.user.biz.security import SessionRevoker
    from pkg.clock import Clock


class RoleUsecase:
    """Keeps roles. Who inherits from whom is part of the policies: a change counts as theirs."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        revoker: SessionRevoker,
        changed: PolicyChanged,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._revoker = revoker
        self._changed = changed
        self._clock = clock

    async def list(self) -> tuple[Role, ...]:
        """Every role, oldest first."""
        async with self._transactions.reading() as work:
            return await work.roles.all()

    async def add(self, actor: Actor, role: Role) -> None:
        """Add a role.

        Raises:
            Fault: ROLE_ADD_FAILED, where the id is taken, the parent unknown, the line of
                inheritance too long or the roles too many.
        """
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                await self._bump(work)
                parents = parents_of(await work.roles.all())
                if len(parents) >= MAX_ROLES:
                    raise ecode.role_add_failed("there are too many roles already")
                if role.role_id in parents:
                    raise ecode.role_add_failed("there is a role of this id")
                if role.parent_id:
                    why = misplaced(role.role_id, role.parent_id, parents, MAX_ROLE_DEPTH)
                    if why:
                        raise ecode.role_add_failed(why)
                await work.roles.add(role)
        except Taken as error:
            raise ecode.role_add_failed("there is a role of this id") from error

    async def update(self, actor: Actor, role: Role) -> None:
        """Change a role's name, description and parent. A built-in role keeps its parent.

        Raises:
            Fault: ROLE_QUERY_FAILED, or ROLE_UPDATE_FAILED where it cannot hang there.
        """
        async with self._transactions.writing(by=actor.uid) as work:
            await self._bump(work)
            parents = parents_of(await work.roles.all())
            if role.role_id not in parents:
                raise ecode.role_query_failed()
            if role.parent_id != parents[role.role_id]:
                if role.role_id in BUILT_IN_ROLES:
                    raise ecode.role_update_failed("a built-in role keeps its parent")
                if role.parent_id:
                    why = misplaced(role.role_id, role.parent_id, parents, MAX_ROLE_DEPTH)
                    if why:
                        raise ecode.role_update_failed(why)
            await work.roles.save(role)

    async def delete(self, actor: Actor, role_id: str) -> None:
        """Delete a role, with its policies and its places in menus.

        Raises:
            Fault: ROLE_QUERY_FAILED, or ROLE_DELETE_FAILED for a built-in role and for one that
                users have or roles inherit from.
        """
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                await self._bump(work)
                if await work.roles.get(role_id) is None:
                    raise ecode.role_query_failed()
                if role_id in BUILT_IN_ROLES:
                    raise ecode.role_delete_failed("a built-in role stays")
                await work.policies.remove_role(role_id)
                await work.roles.remove(role_id)
        except Dangling as error:
            raise ecode.role_delete_failed("users have it, or roles inherit from it") from error

    async def assign(self, actor: Actor, uids: Sequence[str], role_id: str) -> None:
        """Give users a role, all or none. The sessions of those who had another one end.

        Only an administrator gives the role `admin`, or one that inherits from it.

        Raises:
            Fault: ROLE_QUERY_FAILED, PERMISSION_DENIED, or ROLE_ASSIGN_FAILED where a user is
                unknown or the last active administrator would cease to be one.
        """
        wanted = tuple(dict.fromkeys(uids))
        async with self._transactions.writing(by=actor.uid) as work:
            roles = {role.role_id: role for role in await work.roles.all()}
            role = roles.get(role_id)
            if role is None:
                raise ecode.role_query_failed()
            line = lineage(role_id, parents_of(roles.values()))
            if ROLE_ADMIN in line and actor.role_id != ROLE_ADMIN:
                raise Fault("PERMISSION_DENIED", "only an administrator makes administrators")
            users = await work.users.batch(wanted, lock=True)
            if len(users) < len(wanted):
                raise ecode.role_assign_failed("no such user")
            changing = [user for user in users if user.role_id != role_id]
            if await leaves_no_admin(work, changing):
                raise ecode.role_assign_failed("the last administrator stays one")
            try:
                for user in changing:
                    await save_and_revoke(
                        work,
                        replace(user, role_id=role_id, role_name=role.role_name),
                        revoker=self._revoker,
                        at=self._clock.now(),
                    )
            except Dangling as error:  # deleted a moment ago
                raise ecode.role_query_failed() from error

    async def _bump(self, work: UnitOfWork) -> None:
        """Count the change first: it keeps other changes of roles and policies waiting."""
        version = await work.policies.bump()
        work.after_commit(lambda: self._changed.policy_changed(version))
