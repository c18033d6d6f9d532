"""Refresh tokens: what keeps a session going after its access token has ended.

A session is a family of refresh tokens that come one from the other. Each serves once; a token that
turns up a second time was stolen, by whoever came first or by whoever came second, so the whole
family ends. Only hashes are stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token of a family. `id` is 0 until it is stored."""

    token_hash: str
    family: str
    """The session; access tokens carry it too."""
    uid: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    id: int = 0

    def __post_init__(self) -> None:
        """Refuse a token that belongs to nobody.

        Raises:
            ValueError: the hash, the family or the user is empty.
        """
        if not (self.token_hash and self.family and self.uid):
            raise ValueError("a refresh token needs a hash, a family and a user")

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now >= self.expires_at


def hash_token(token: str) -> str:
    """What is stored in place of a token. It is random, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


class RefreshTokenRepository(Protocol):
    """Refresh tokens by their hash."""

    async def get(self, token_hash: str) -> RefreshToken | None:
        """The token, whatever became of it."""
        ...

    async def add(self, token: RefreshToken) -> None:
        """Store a new token.

        Raises:
            Taken: there is one of that hash.
            Dangling: there is no such user.
        """
        ...

    async def use(self, token_hash: str, at: datetime) -> bool:
        """Mark a token as used; True for exactly one caller.

        False for a token that is used, revoked or unknown. Atomic: of two callers at the same
        time one gets False.
        """
        ...

    async def revoke_family(self, family: str, at: datetime) -> int:
        """Revoke what is left of a family; returns how many tokens that were."""
        ...

    async def revoke_user(self, uid: str, at: datetime) -> int:
        """Revoke what is left of every family of a user; returns how many tokens that were."""
        ...

    async def purge(self, before: datetime, limit: int) -> int:
        """Delete tokens that expired before then, at most `limit`; returns how many."""
        ...
