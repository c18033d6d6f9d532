"""A source that everybody can guess: for tests."""

from __future__ import annotations

import base64
import hashlib
import threading


class FakeTokens:
    """`Tokens` that are different each time and the same in every run with the same seed."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._drawn = 0
        self._lock = threading.Lock()

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes, a function of the seed and of how often this was asked."""
        with self._lock:
            self._drawn += 1
            drawn = self._drawn
        return hashlib.shake_256(f"{self._seed}:{drawn}".encode()).digest(count)

    def hex(self, count: int = 16) -> str:
        """`count` bytes in hex."""
        return self.random_bytes(count).hex()

    def urlsafe(self, count: int = 32) -> str:
        """`count` bytes as base64url."""
        return base64.urlsafe_b64encode(self.random_bytes(count)).rstrip(b"=").decode()

    def digits(self, length: int) -> str:
        """`length` decimal digits."""
        return "".join(str(byte % 10) for byte in self.random_bytes(length))
