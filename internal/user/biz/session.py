"""What becomes of a session after signing in: it is extended, looked at, and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from internal.user import ecode
from internal.user.biz.refresh_token import RefreshToken, hash_token
from pkg.errors import Fault

if TYPE_CHECKING:
    from internal.user.biz.actor import Actor
    from internal.user.biz.security import SessionRevoker
    from internal.user.biz.session_issuer import SessionIssuer, TokenPair
    from internal.user.biz.unit_of_work import Transactions, UnitOfWork
    from pkg.clock import Clock

_NOT_GOOD: Final = frozenset({"UNAUTHENTICATED", "TOKEN_EXPIRED"})


class Identity(Protocol):
    """What a verified access token says."""

    @property
    def subject(self) -> str:
        """UID of the user."""
        ...

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def expires_at(self) -> float:
        """Seconds since 1970."""
        ...


class TokenVerifier(Protocol):
    """Checks access tokens, as the chain does."""

    async def authenticate(self, token: str) -> Identity:
        """What the token says.

        Raises:
            Fault: UNAUTHENTICATED, TOKEN_EXPIRED, or UNAVAILABLE where it cannot be told.
        """
        ...


class SessionUsecase:
    """Extends, verifies and ends sessions."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        sessions: SessionIssuer,
        revoker: SessionRevoker,
        verifier: TokenVerifier,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._sessions = sessions
        self._revoker = revoker
        self._verifier = verifier
        self._clock = clock

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Trade a refresh token for the next pair of its session. It serves once.

        A used token that comes again ends the whole session, though a client that merely asked
        twice is hit as well: nobody can tell it from a thief.

        Raises:
            Fault: REFRESH_FAILED, or ACCOUNT_DISABLED, which ends the session too.
        """
        now = self._clock.now()
        token_hash = hash_token(refresh_token)
        async with self._transactions.reading() as work:
            token = await work.refresh_tokens.get(token_hash)
        if token is None or token.revoked_at is not None or token.expired(now):
            raise ecode.refresh_failed()
        async with self._transactions.writing(by=token.uid) as work:
            outcome = await self._rotate(work, token)
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    async def _rotate(self, work: UnitOfWork, token: RefreshToken) -> TokenPair | Fault:
        """The next pair, or why there is none: its revocations are to be committed."""
        now = self._clock.now()
        user = await work.users.get(token.uid, lock=True)
        if user is None:
            return ecode.refresh_failed()
        if not await work.refresh_tokens.use(token.token_hash, now):
            await self._end(work, token.family)
            return ecode.refresh_failed()
        if not user.active:
            await self._end(work, token.family)
            return ecode.account_disabled()
        return await self._sessions.extend(work, user, token.family)

    async def logout(self, actor: Actor) -> None:
        """End the actor's session: its access and refresh tokens are refused from now on."""
        async with self._transactions.writing(by=actor.uid) as work:
            await self._end(work, actor.session)

    async def verify(self, token: str) -> Identity | None:
        """What an access token says; None for one that is not good.

        Raises:
            Fault: UNAVAILABLE, where it cannot be told.
        """
        try:
            return await self._verifier.authenticate(token)
        except Fault as fault:
            if fault.reason in _NOT_GOOD:
                return None
            raise

    async def purge(self, limit: int = 1000) -> int:
        """Delete refresh tokens whose time is over, at most `limit`; returns how many."""
        async with self._transactions.writing(by="") as work:
            return await work.refresh_tokens.purge(self._clock.now(), limit)

    async def _end(self, work: UnitOfWork, session: str) -> None:
        await work.refresh_tokens.revoke_family(session, self._clock.now())
        work.after_commit(lambda: self._revoker.end_session(session))
