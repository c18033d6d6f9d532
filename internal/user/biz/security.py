"""What signing in needs from outside biz. Adapters of these ports live in pkg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class PasswordHasher(Protocol):
    """Makes and checks password hashes, off the event loop."""

    async def hash(self, password: str) -> str:
        """The password encoded for storage."""
        ...

    async def verify(self, encoded: str, password: str, /) -> tuple[bool, bool]:
        """Whether the password is right, and whether its hash should be made anew.

        The second is True for old parameters and for hashes of an imported, older kind.
        """
        ...

    async def dummy_verify(self, password: str) -> None:
        """Take as long as `verify`, for a user that does not exist."""
        ...


class TokenIssuer(Protocol):
    """Signs access tokens."""

    def issue(
        self, subject: str, name: str, role: str, session: str, version: int
    ) -> tuple[str, float]:
        """A new access token, and when it ends in seconds since 1970."""
        ...


class SessionRevoker(Protocol):
    """Ends access tokens before their time. What is ended stays so for as long as a token lives."""

    async def end_session(self, session: str) -> None:
        """Refuse every access token of the session from now on."""
        ...

    async def raise_version(self, uid: str, version: int) -> None:
        """Refuse every access token of the user that carries a smaller version."""
        ...


class Captcha(Protocol):
    """Checks what people read in a picture."""

    async def verify(self, captcha_id: str, answer: str) -> bool:
        """Whether the answer is right. Every try counts, and a right one only once."""
        ...


class Throttle(Protocol):
    """Slows down who guesses. A key is an account or an address."""

    async def check(self, keys: Sequence[str]) -> float | None:
        """Seconds to wait before the next try under these keys; None for none."""
        ...

    async def failed(self, keys: Sequence[str]) -> None:
        """Count a failure under each key."""
        ...

    async def succeeded(self, keys: Sequence[str]) -> None:
        """Forget the failures under each key."""
        ...


class TokenSource(Protocol):
    """Randomness that nobody guesses."""

    def random_bytes(self, count: int) -> bytes:
        """So many bytes."""
        ...
