"""Which tokens are refused before their time is over.

A session ends at logout; a user's version is raised when the password, role or state changes, and
refuses every token with a lower one. Both are kept only as long as a token could still be good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pkg.errors import Fault
from pkg.jwt.held import HeldRevocations

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.clock import Clock


class Revocations(Protocol):
    """A store of revocations, shared by all processes of a service."""

    async def end_session(self, session: str, ttl: timedelta) -> None:
        """Refuse the tokens of a session for `ttl`. Ending it again extends that.

        Raises:
            Fault: UNAVAILABLE; the session may go on.
        """
        ...

    async def raise_version(self, subject: str, version: int, ttl: timedelta) -> None:
        """Refuse the subject's tokens with a version below this one for `ttl`.

        A version lower than the one that is kept changes nothing: it never sinks.

        Raises:
            Fault: UNAVAILABLE; the tokens may still be good.
        """
        ...

    async def check(self, session: str, subject: str, version: int) -> None:
        """Pass a token that is not revoked.

        Raises:
            Fault: UNAUTHENTICATED when it is revoked; UNAVAILABLE when it cannot be told, since a
                token in doubt is not good.
        """
        ...


class MemoryRevocations:
    """Revocations of one process. May be shared by threads; forgotten when the process ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held = HeldRevocations(clock)

    async def end_session(self, session: str, ttl: timedelta) -> None:
        """Refuse the tokens of a session."""
        self._held.end_session(session, self._clock.monotonic() + ttl.total_seconds())

    async def raise_version(self, subject: str, version: int, ttl: timedelta) -> None:
        """Refuse the subject's older tokens."""
        self._held.raise_version(subject, version, self._clock.monotonic() + ttl.total_seconds())

    async def check(self, session: str, subject: str, version: int) -> None:
        """Pass a token that is not revoked."""
        if self._held.refused(session, subject, version):
            raise Fault("UNAUTHENTICATED")
