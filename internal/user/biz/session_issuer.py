"""The pair of tokens that keeps a session: made here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from internal.user.biz.identifiers import new_secret, new_uid
from internal.user.biz.refresh_token import RefreshToken, hash_token

if TYPE_CHECKING:
    from internal.user.biz.security import TokenIssuer, TokenSource
    from internal.user.biz.unit_of_work import UnitOfWork
    from internal.user.biz.user import User
    from pkg.clock import Clock


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client holds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: float
    """When the access token ends, in seconds since 1970."""


class SessionIssuer:
    """Opens and extends sessions in a unit of work; nothing holds unless it is committed."""

    def __init__(
        self,
        *,
        issuer: TokenIssuer,
        tokens: TokenSource,
        clock: Clock,
        refresh_lifetime: timedelta,
    ) -> None:
        """Take the adapters, and how long a session lives without being refreshed."""
        if refresh_lifetime <= timedelta():
            raise ValueError("the refresh lifetime must be positive")
        self._issuer = issuer
        self._tokens = tokens
        self._clock = clock
        self._lifetime = refresh_lifetime

    async def open(self, work: UnitOfWork, user: User) -> TokenPair:
        """The tokens of a new session."""
        return await self.extend(work, user, new_uid(self._clock.now(), self._tokens))

    async def extend(self, work: UnitOfWork, user: User, session: str) -> TokenPair:
        """The next tokens of a session."""
        now = self._clock.now()
        refresh = new_secret(self._tokens)
        await work.refresh_tokens.add(
            RefreshToken(
                token_hash=hash_token(refresh),
                family=session,
                uid=user.uid,
                issued_at=now,
                expires_at=now + self._lifetime,
            )
        )
        access, expires_at = self._issuer.issue(
            user.uid, user.user_name, user.role_id, session, user.token_version
        )
        return TokenPair(access, refresh, expires_at)
