"""What a signed-in user reads and changes of itself. The subject is always the actor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.revocation import save_and_revoke
from internal.user.biz.throttling import admit, peer_keys
from pkg.errors import Fault, Violation

if TYPE_CHECKING:
    from internal.user.biz.actor import Actor
    from internal.user.biz.security import PasswordHasher, SessionRevoker, Throttle
    from internal.user.biz.unit_of_work import Transactions
    from internal.user.biz.user import User
    from pkg.clock import Clock


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What a user writes of itself. Empty texts clear; an empty birth keeps the one there is."""

    nick_name: str = ""
    birth: str = ""
    """YYYY-MM-DD"""
    phone: str = ""
    wechat: str = ""
    email: str = ""
    motto: str = ""


def parse_birth(text: str) -> date:
    """Read YYYY-MM-DD.

    Raises:
        Fault: INVALID_ARGUMENT, where the calendar has no such day.
    """
    try:
        return date.fromisoformat(text if len(text) == len("YYYY-MM-DD") else "")
    except ValueError as error:
        violation = Violation("birth", "date", "must be a day of the calendar, as YYYY-MM-DD")
        raise Fault("INVALID_ARGUMENT", violations=(violation,)) from error


class ProfileUsecase:
    """Reads and changes the actor's own account."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        hasher: PasswordHasher,
        throttle: Throttle,
        revoker: SessionRevoker,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._hasher = hasher
        self._throttle = throttle
        self._revoker = revoker
        self._clock = clock

    async def get(self, actor: Actor) -> User:
        """The actor's account.

        Raises:
            Fault: USER_INFO_QUERY_FAILED.
        """
        async with self._transactions.reading() as work:
            user = await work.users.get(actor.uid)
        if user is None:
            raise ecode.user_info_query_failed()
        return user

    async def update(self, actor: Actor, change: ProfileChange) -> None:
        """Write the actor's profile.

        Raises:
            Fault: INVALID_ARGUMENT or USER_INFO_QUERY_FAILED.
        """
        birth = parse_birth(change.birth) if change.birth else None
        async with self._transactions.writing(by=actor.uid) as work:
            user = await work.users.get(actor.uid, lock=True)
            if user is None:
                raise ecode.user_info_query_failed()
            await work.users.save(
                replace(
                    user,
                    nick_name=change.nick_name,
                    birth=birth or user.birth,
                    phone=change.phone,
                    wechat=change.wechat,
                    email=change.email,
                    motto=change.motto,
                )
            )

    async def set_avatar(self, actor: Actor, avatar: str) -> str:
        """Remember where the actor's avatar is stored; returns where the previous one was.

        Raises:
            Fault: USER_INFO_QUERY_FAILED.
        """
        async with self._transactions.writing(by=actor.uid) as work:
            user = await work.users.get(actor.uid, lock=True)
            if user is None:
                raise ecode.user_info_query_failed()
            await work.users.save(replace(user, avatar=avatar))
        return user.avatar

    async def change_password(
        self, actor: Actor, *, old_password: str, new_password: str, peer: str
    ) -> None:
        """Change the actor's password, and end every session of it, this one too.

        Raises:
            Fault: PASSWORD_UPDATE_FAILED where the old password is wrong, LOGIN_THROTTLED after
                too many of those, or USER_INFO_QUERY_FAILED.
        """
        account = f"password:user:{actor.uid}"
        keys = (account, *peer_keys("password", peer))
        await admit(self._throttle, keys)
        checked = await self.get(actor)
        right, _ = await self._hasher.verify(checked.password, old_password)
        if not right:
            await self._throttle.failed(keys)
            raise ecode.password_update_failed("the old password is wrong")
        encoded = await self._hasher.hash(new_password)
        async with self._transactions.writing(by=actor.uid) as work:
            user = await work.users.get(actor.uid, lock=True)
            if user is None or user.password != checked.password:
                raise ecode.password_update_failed("the password has just been changed")
            await save_and_revoke(
                work,
                replace(user, password=encoded),
                revoker=self._revoker,
                at=self._clock.now(),
            )
        await self._throttle.succeeded((account,))
