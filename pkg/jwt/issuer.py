"""Makes access tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt
from pkg.jwt.claims import Claims

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.jwt.keys import KeyRing
    from pkg.jwt.settings import TokenSettings
    from pkg.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and what it says."""

    token: str
    claims: Claims

    def __repr__(self) -> str:
        return f"Issued(token='***', claims={self.claims!r})"


class TokenIssuer:
    """Signs with the ring's first key. May be shared by threads."""

    def __init__(
        self, keys: KeyRing, settings: TokenSettings, clock: Clock, tokens: Tokens
    ) -> None:
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._tokens = tokens

    def issue(
        self,
        *,
        subject: str,
        name: str,
        role: str,
        session: str,
        version: int,
        tenant: str = "",
    ) -> Issued:
        """A token that is good from now on for `access_ttl`, with an id of its own.

        Raises:
            ValueError: the subject is empty.
        """
        if not subject:
            raise ValueError("a token needs a subject")
        now = int(self._clock.time())
        claims = Claims(
            subject=subject,
            name=name,
            role=role,
            token_id=self._tokens.hex(16),
            session=session,
            version=version,
            issued_at=now,
            not_before=now,
            expires_at=now + int(self._settings.access_ttl.total_seconds()),
            tenant=tenant,
        )
        key = self._keys.signing
        token = jwt.encode(
            {
                **claims.to_json(),
                "iss": self._settings.issuer,
                "aud": self._settings.audience,
            },
            key.signing,
            algorithm=key.alg,
            headers={"kid": key.kid},
        )
        return Issued(token, claims)
