"""Which tokens are refused before their time is over.

A session ends at logout; a user's version is raised when the password, role or state changes, and
refuses every token with a lower one. Both are kept only as long as a token could still be good.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from pkg.errors import Fault

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
        """Pass a token that is not revoked. One round trip.

        Raises:
            Fault: UNAUTHENTICATED when it is revoked; UNAVAILABLE when it cannot be told, since a
                token in doubt is not good.
        """
        ...


class MemoryRevocations:
    """Revocations of one process. May be shared by threads; forgotten when the process ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[str, float] = {}
        self._versions: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    async def end_session(self, session: str, ttl: timedelta) -> None:
        """Refuse the tokens of a session."""
        now = self._clock.monotonic()
        with self._lock:
            self._forget(now)
            until = now + ttl.total_seconds()
            self._sessions[session] = max(until, self._sessions.get(session, until))

    async def raise_version(self, subject: str, version: int, ttl: timedelta) -> None:
        """Refuse the subject's older tokens."""
        now = self._clock.monotonic()
        with self._lock:
            self._forget(now)
            until = now + ttl.total_seconds()
            kept, kept_until = self._versions.get(subject, (version, until))
            self._versions[subject] = (max(version, kept), max(until, kept_until))

    async def check(self, session: str, subject: str, version: int) -> None:
        """Pass a token that is not revoked."""
        now = self._clock.monotonic()
        least, until = self._versions.get(subject, (0, 0.0))
        if self._sessions.get(session, 0.0) > now or (version < least and until > now):
            raise Fault("UNAUTHENTICATED")

    def _forget(self, now: float) -> None:
        self._sessions = {key: until for key, until in self._sessions.items() if until > now}
        self._versions = {key: kept for key, kept in self._versions.items() if kept[1] > now}
