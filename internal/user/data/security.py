"""What signing in needs of `pkg`, in the shapes that biz asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.jwt import Revocations, TokenIssuer


class AccessTokens:
    """Implements `TokenIssuer`."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self._issuer = issuer

    def issue(
        self, subject: str, name: str, role: str, session: str, version: int
    ) -> tuple[str, float]:
        issued = self._issuer.issue(
            subject=subject, name=name, role=role, session=session, version=version
        )
        return issued.token, issued.claims.expires_at


class AccessRevoker:
    """Implements `SessionRevoker`: what is ended stays so for as long as a token may be good."""

    def __init__(self, revocations: Revocations, lifetime: timedelta) -> None:
        """`lifetime`: of an access token, with what clocks may differ."""
        self._revocations = revocations
        self._lifetime = lifetime

    async def end_session(self, session: str) -> None:
        await self._revocations.end_session(session, self._lifetime)

    async def raise_version(self, uid: str, version: int) -> None:
        await self._revocations.raise_version(uid, version, self._lifetime)
