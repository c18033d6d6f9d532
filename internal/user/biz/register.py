"""Opening an account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.identifiers import new_uid
from internal.user.biz.throttling import admit, peer_keys
from internal.user.biz.unit_of_work import Taken, Transactions
from internal.user.biz.user import User
from internal.user.consts import ROLE_USER

if TYPE_CHECKING:
    from internal.user.biz.security import Captcha, PasswordHasher, Throttle, TokenSource
    from pkg.clock import Clock


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What a person tells of itself to get an account."""

    user_name: str
    password: str = field(repr=False)
    captcha_id: str
    captcha: str
    nick_name: str = ""
    email: str = ""
    phone: str = ""


class RegisterUsecase:
    """Opens accounts."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        captcha: Captcha,
        throttle: Throttle,
        hasher: PasswordHasher,
        tokens: TokenSource,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._captcha = captcha
        self._throttle = throttle
        self._hasher = hasher
        self._tokens = tokens
        self._clock = clock

    async def register(self, account: NewAccount, *, peer: str) -> str:
        """Open an active account with the role `user`; returns its uid.

        Every try that solves its captcha counts against the address, so that accounts cannot be
        opened, nor names probed, in bulk.

        Raises:
            Fault: CAPTCHA_MISMATCH, LOGIN_THROTTLED, or REGISTER_FAILED where the name is taken.
        """
        if not await self._captcha.verify(account.captcha_id, account.captcha):
            raise ecode.captcha_mismatch()
        keys = peer_keys("register", peer)
        await admit(self._throttle, keys)
        await self._throttle.failed(keys)
        uid = new_uid(self._clock.now(), self._tokens)
        user = User(
            uid=uid,
            user_name=account.user_name,
            password=await self._hasher.hash(account.password),
            role_id=ROLE_USER,
            nick_name=account.nick_name or account.user_name,
            email=account.email,
            phone=account.phone,
        )
        try:
            async with self._transactions.writing(by=uid) as work:
                await work.users.add(user)
        except Taken as error:
            raise ecode.register_failed("user name taken") from error
        return uid
