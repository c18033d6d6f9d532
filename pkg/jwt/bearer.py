"""The authenticator of services whose users hold access tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.jwt.revocations import Revocations
    from pkg.jwt.verifier import TokenVerifier
    from pkg.rpc import Principal


class BearerAuthenticator:
    """A `pkg.middleware.Authenticator`: the token is genuine, in time and not revoked."""

    def __init__(self, verifier: TokenVerifier, revocations: Revocations) -> None:
        self._verifier = verifier
        self._revocations = revocations

    async def authenticate(self, token: str) -> Principal:
        """The holder of a good token.

        Raises:
            Fault: UNAUTHENTICATED; TOKEN_EXPIRED; UNAVAILABLE when revocation cannot be told.
        """
        claims = self._verifier.verify(token)
        await self._revocations.check(claims.session, claims.subject, claims.version)
        return claims.principal
