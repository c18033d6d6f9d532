"""Randomness as a dependency: whoever needs a secret or an id is handed `Tokens`."""

from pkg.tokens.fake import FakeTokens
from pkg.tokens.tokens import SystemTokens, Tokens

__all__ = ["FakeTokens", "SystemTokens", "Tokens"]
