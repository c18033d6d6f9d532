"""Users, as an administrator or another service sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.page import Page, PageOf
from internal.user.biz.revocation import save_and_revoke
from internal.user.biz.user import User, UserFilter, UserState
from internal.user.consts import MAX_BATCH, ROLE_ADMIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from internal.user.biz.actor import Actor
    from internal.user.biz.security import SessionRevoker
    from internal.user.biz.unit_of_work import Transactions, UnitOfWork
    from pkg.clock import Clock


async def leaves_no_admin(work: UnitOfWork, leaving: Sequence[User]) -> bool:
    """Whether nobody could administer once these users no longer do.

    Takes the administrators' lock, so that of two changes at the same time one sees the other.
    """
    admins = [user for user in leaving if user.role_id == ROLE_ADMIN and user.active]
    if not admins:
        return False
    await work.roles.lock(ROLE_ADMIN)
    return await work.users.count(ROLE_ADMIN, state=UserState.ACTIVE) <= len(admins)


class UserUsecase:
    """Finds users, and changes their state."""

    def __init__(
        self, *, transactions: Transactions, revoker: SessionRevoker, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._revoker = revoker
        self._clock = clock

    async def get(self, *, uid: str = "", user_name: str = "") -> User:
        """The user of that uid, else of that name, whatever its state.

        Raises:
            Fault: USER_INFO_QUERY_FAILED.
            ValueError: neither is given.
        """
        async with self._transactions.reading() as work:
            found = await (work.users.get(uid) if uid else work.users.by_name(user_name))
        if found is None:
            raise ecode.user_info_query_failed()
        return found

    async def batch(self, uids: Sequence[str]) -> tuple[User, ...]:
        """Those of the users that exist, in the order asked for, each once.

        Raises:
            ValueError: more than MAX_BATCH are asked for.
        """
        wanted = dict.fromkeys(uids)
        if len(wanted) > MAX_BATCH:
            raise ValueError(f"{len(wanted)} users are more than {MAX_BATCH}")
        async with self._transactions.reading() as work:
            found = {user.uid: user for user in await work.users.batch(tuple(wanted))}
        return tuple(found[uid] for uid in wanted if uid in found)

    async def list(self, wanted: UserFilter, page: Page) -> PageOf[User]:
        """One page of the users that match, oldest first."""
        async with self._transactions.reading() as work:
            items, total = await work.users.list(wanted, page)
        return PageOf(page, total, items)

    async def set_state(self, actor: Actor, uid: str, state: UserState) -> None:
        """Activate, disable or delete a user. Its sessions end unless it becomes active.

        Raises:
            Fault: USER_INFO_QUERY_FAILED, or USER_STATE_FAILED for the actor itself and for the
                last active administrator.
        """
        async with self._transactions.writing(by=actor.uid) as work:
            user = await work.users.get(uid, lock=True)
            if user is None:
                raise ecode.user_info_query_failed()
            if uid == actor.uid and state is not UserState.ACTIVE:
                raise ecode.user_state_failed("nobody disables itself")
            if state is user.state:
                return
            changed = replace(user, state=state)
            if state is UserState.ACTIVE:
                await work.users.save(changed)
                return
            if await leaves_no_admin(work, [user]):
                raise ecode.user_state_failed("the last administrator stays active")
            await save_and_revoke(work, changed, revoker=self._revoker, at=self._clock.now())
