"""Signing in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.throttling import account_key, admit, peer_keys

if TYPE_CHECKING:
    from internal.user.biz.security import Captcha, PasswordHasher, Throttle
    from internal.user.biz.session_issuer import SessionIssuer, TokenPair
    from internal.user.biz.unit_of_work import Transactions
    from internal.user.biz.user import User


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person shows to sign in."""

    user_name: str
    password: str = field(repr=False)
    captcha_id: str
    captcha: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the tokens of the new session."""

    user: User
    tokens: TokenPair


class LoginUsecase:
    """Signs users in."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        captcha: Captcha,
        throttle: Throttle,
        hasher: PasswordHasher,
        sessions: SessionIssuer,
    ) -> None:
        self._transactions = transactions
        self._captcha = captcha
        self._throttle = throttle
        self._hasher = hasher
        self._sessions = sessions

    async def login(self, credentials: Credentials, *, peer: str) -> SignedIn:
        """Open a session.

        The captcha is used up by every try. An unknown name and a wrong password are refused
        alike and in the same time. Whether an account is disabled is told only to whoever knows
        its password. A password whose hash is of an older kind is hashed anew. A success clears
        the failures of the account, not those of the address: an attacker's own account does not
        buy more guesses.

        The password is checked between two transactions, not within one: it takes long, and would
        keep a connection (on SQLite, every writer) waiting.

        Raises:
            Fault: CAPTCHA_MISMATCH, LOGIN_THROTTLED, LOGIN_FAILED or ACCOUNT_DISABLED.
        """
        if not await self._captcha.verify(credentials.captcha_id, credentials.captcha):
            raise ecode.captcha_mismatch()
        account = account_key(credentials.user_name)
        keys = (account, *peer_keys("login", peer))
        await admit(self._throttle, keys)
        async with self._transactions.reading() as work:
            user = await work.users.by_name(credentials.user_name)
        if user is None:
            await self._hasher.dummy_verify(credentials.password)
            await self._throttle.failed(keys)
            raise ecode.login_failed()
        right, outdated = await self._hasher.verify(user.password, credentials.password)
        if not right:
            await self._throttle.failed(keys)
            raise ecode.login_failed()
        if not user.active:
            raise ecode.account_disabled()
        password = await self._hasher.hash(credentials.password) if outdated else user.password
        signed_in = await self._open(user, password)
        await self._throttle.succeeded((account,))
        return signed_in

    async def _open(self, checked: User, password: str) -> SignedIn:
        """Open the session of a user whose password was right a moment ago."""
        async with self._transactions.writing(by=checked.uid) as work:
            user = await work.users.get(checked.uid, lock=True)
            if user is None or user.password != checked.password:
                raise ecode.login_failed()
            if not user.active:
                raise ecode.account_disabled()
            if password != user.password:
                user = replace(user, password=password)
                await work.users.save(user)
            tokens = await self._sessions.open(work, user)
        return SignedIn(user, tokens)
