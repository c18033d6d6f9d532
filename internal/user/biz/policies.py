"""Keeping policies: which role may call which operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from internal.user import ecode
from internal.user.biz.page import Page, PageOf
from internal.user.biz.unit_of_work import Taken, Transactions, UnitOfWork
from internal.user.consts import ROLE_ADMIN

if TYPE_CHECKING:
    from collections.abc import Set

    from internal.user.biz.actor import Actor
    from internal.user.biz.policy import Policy, PolicyChanged, PolicyFilter


class Enforcer(Protocol):
    """What the chain asks before every call that needs a permission."""

    def allowed(self, role: str, resource: str, action: str, /) -> bool:
        """Whether a policy of the role, or of one that it inherits from, allows it."""
        ...


class PolicyUsecase:
    """Keeps policies. Each change is counted and told to those who enforce them.

    The administrator has no bypass: its rights are policies like any other's. Its policies for the
    operations that keep policies (`protected`: resource and action) can neither be deleted nor
    changed, so that it cannot lock itself out.
    """

    def __init__(
        self,
        *,
        transactions: Transactions,
        changed: PolicyChanged,
        enforcer: Enforcer,
        protected: Set[tuple[str, str]],
    ) -> None:
        self._transactions = transactions
        self._changed = changed
        self._enforcer = enforcer
        self._protected = frozenset(protected)

    def allowed(self, role_id: str, path: str, method: str) -> bool:
        """Whether the role may call the operation, as the chain would decide now."""
        return self._enforcer.allowed(role_id, path, method.upper())

    async def list(self, wanted: PolicyFilter, page: Page) -> PageOf[Policy]:
        """One page of the policies that match, oldest first."""
        async with self._transactions.reading() as work:
            items, total = await work.policies.list(wanted, page)
        return PageOf(page, total, items)

    async def add(self, actor: Actor, policy: Policy) -> Policy:
        """Add a policy; returns it with its id.

        Raises:
            Fault: POLICY_ADD_FAILED, where the role is unknown or there is an equal policy.
        """
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                await self._bump(work)
                if await work.roles.get(policy.role_id) is None:
                    raise ecode.policy_add_failed("no such role")
                return await work.policies.add(policy)
        except Taken as error:
            raise ecode.policy_add_failed("there is an equal policy") from error

    async def update(self, actor: Actor, policy: Policy) -> None:
        """Change a policy.

        Raises:
            Fault: POLICY_QUERY_FAILED, or POLICY_UPDATE_FAILED where the role is unknown, there
                is an equal policy, or the policy is protected.
        """
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                await self._bump(work)
                known = await work.policies.get(policy.id)
                if known is None:
                    raise ecode.policy_query_failed()
                if self._is_protected(known) and not _same_rule(known, policy):
                    raise ecode.policy_update_failed("the administrator needs it")
                if await work.roles.get(policy.role_id) is None:
                    raise ecode.policy_update_failed("no such role")
                await work.policies.save(policy)
        except Taken as error:
            raise ecode.policy_update_failed("there is an equal policy") from error

    async def delete(self, actor: Actor, policy_id: int) -> None:
        """Delete a policy for good.

        Raises:
            Fault: POLICY_QUERY_FAILED, or POLICY_DELETE_FAILED where the policy is protected.
        """
        async with self._transactions.writing(by=actor.uid) as work:
            await self._bump(work)
            known = await work.policies.get(policy_id)
            if known is None:
                raise ecode.policy_query_failed()
            if self._is_protected(known):
                raise ecode.policy_delete_failed("the administrator needs it")
            await work.policies.remove(policy_id)

    def _is_protected(self, policy: Policy) -> bool:
        return policy.role_id == ROLE_ADMIN and (policy.path, policy.method) in self._protected

    async def _bump(self, work: UnitOfWork) -> None:
        """Count the change first: it keeps other changes of roles and policies waiting."""
        version = await work.policies.bump()
        work.after_commit(lambda: self._changed.policy_changed(version))


def _same_rule(one: Policy, other: Policy) -> bool:
    return (one.role_id, one.path, one.method) == (other.role_id, other.path, other.method)
