"""Where ids, secrets and codes come from.

Code that needs something nobody can guess takes `Tokens` and never calls `secrets` or `random`
itself, so that tests know what was drawn.
"""

from __future__ import annotations

import secrets
from typing import Protocol

from pkg.tokens.drawn import SIZE, Drawn

DIGITS = "0123456789"


class Tokens(Protocol):
    """A source of randomness fit for secrets. Every method may be called by any thread."""

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes."""
        ...

    def hex(self, count: int = 16) -> str:
        """`count` bytes as twice as many hex digits."""
        ...

    def urlsafe(self, count: int = 32) -> str:
        """`count` bytes as base64url without padding."""
        ...

    def digits(self, length: int) -> str:
        """`length` decimal digits, each as likely as any other."""
        ...


class SystemTokens:
    """The operating system's source. Ids, which every call needs, are drawn ahead."""

    def __init__(self) -> None:
        """Nothing is drawn before it is asked for."""
        self._drawn = Drawn()

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes."""
        return secrets.token_bytes(count)

    def hex(self, count: int = 16) -> str:
        """`count` bytes in hex."""
        return self._drawn.take() if count == SIZE else secrets.token_hex(count)

    def urlsafe(self, count: int = 32) -> str:
        """`count` bytes as base64url."""
        return secrets.token_urlsafe(count)

    def digits(self, length: int) -> str:
        """`length` decimal digits."""
        return "".join(secrets.choice(DIGITS) for _ in range(length))
