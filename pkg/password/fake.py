"""Passwords at no cost, for tests of what uses them."""

from __future__ import annotations

from pkg.password.hasher import Verdict


class FakePasswords:
    """`Passwords` kept in the clear: `plain$<password>`; `old$<password>` is due for a rehash."""

    def __init__(self) -> None:
        self.dummies = 0
        """How often `dummy_verify` was called."""

    async def hash(self, password: str) -> str:
        """The password, marked."""
        return f"plain${password}"

    async def verify(self, hashed: str, password: str) -> Verdict:
        """Is it the password?"""
        kind, _, kept = hashed.partition("$")
        ok = kind in ("plain", "old") and kept == password
        return Verdict(ok=ok, rehash=ok and kind == "old")

    async def dummy_verify(self, password: str) -> None:
        """Count the call."""
        self.dummies += 1
