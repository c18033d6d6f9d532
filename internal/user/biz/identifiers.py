"""Identifiers and secrets, made from handed-in time and randomness."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from internal.user.biz.security import TokenSource


def new_uid(now: datetime, tokens: TokenSource) -> str:
    """A version 7 UUID as 32 hex digits: sorts by time, and cannot be guessed."""
    value = int(now.timestamp() * 1000) << 80 | int.from_bytes(tokens.random_bytes(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


def new_secret(tokens: TokenSource) -> str:
    """A refresh token: 256 bits in 43 characters that need no escaping anywhere."""
    return base64.urlsafe_b64encode(tokens.random_bytes(32)).rstrip(b"=").decode()


def new_password(tokens: TokenSource) -> str:
    """A password that can be read out: 100 bits as four groups of five letters and digits."""
    text = base64.b32encode(tokens.random_bytes(15)).decode().lower()
    return "-".join(text[start : start + 5] for start in range(0, 20, 5))
