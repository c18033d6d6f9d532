"""Revocations in the memory of a process, and whether they are all there are."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pkg.clock import Clock

_NEVER: Final = -math.inf


class FullError(Exception):
    """There are more revocations than may be held."""


class Raised(NamedTuple):
    """A subject's least version."""

    version: int
    until: float


class HeldRevocations:
    """Any thread may call everything. Holds at most `limit`, each until its time is over.

    Times are those of `clock.monotonic()`. What is held only becomes stricter: neither a version
    nor the end of a time ever sinks.
    """

    def __init__(self, clock: Clock, limit: float = math.inf) -> None:
        """Hold nothing, in doubt."""
        self._now = clock.monotonic
        self._limit = limit
        # The first in them are nearly always the first whose time is over.
        self._sessions: OrderedDict[str, float] = OrderedDict()
        self._versions: OrderedDict[str, Raised] = OrderedDict()
        self._lock = threading.Lock()
        self._lacking = False
        self._vouched = _NEVER

    def __len__(self) -> int:
        return len(self._sessions) + len(self._versions)

    @property
    def in_step(self) -> bool:
        """Whether it is certain now of what is not revoked."""
        return self._now() < self._vouched

    def refused(self, session: str, subject: str, version: int) -> bool | None:
        """Whether a token is revoked; None where that is in doubt."""
        now = self._now()
        if self._sessions.get(session, _NEVER) > now:
            return True
        raised = self._versions.get(subject)
        if raised is not None and version < raised.version and raised.until > now:
            return True
        return False if now < self._vouched else None

    def end_session(self, session: str, until: float) -> None:
        """Refuse the tokens of a session."""
        with self._lock:
            kept = self._sessions.get(session)
            if kept is None and not self._room():
                return
            if kept is None or kept < until:
                self._sessions[session] = until
                self._sessions.move_to_end(session)

    def raise_version(self, subject: str, version: int, until: float) -> None:
        """Refuse the subject's older tokens."""
        with self._lock:
            kept = self._versions.get(subject)
            if kept is None and not self._room():
                return
            if kept is not None:
                version, until = max(kept.version, version), max(kept.until, until)
            self._versions[subject] = Raised(version, until)
            if kept is None or kept.until < until:
                self._versions.move_to_end(subject)

    def restart(self) -> None:
        """From now on it is told of everything, what there is already included."""
        with self._lock:
            self._lacking, self._vouched = False, _NEVER

    def vouch(self, until: float) -> None:
        """Until then it may be relied upon to be whole.

        Raises:
            FullError: since `restart` something found no room.
        """
        with self._lock:
            self._forget()
            if self._lacking:
                raise FullError(f"there are more than {self._limit} revocations")
            self._vouched = until

    def doubt(self) -> None:
        """It may not be told of everything any more."""
        with self._lock:
            self._vouched = _NEVER

    def _room(self) -> bool:
        """Whether there is room for one more; if not, all is in doubt."""
        if self._lacking:
            return False
        self._forget()
        if len(self) >= self._limit:
            self._sweep()
        if len(self) >= self._limit:
            self._lacking, self._vouched = True, _NEVER
        return not self._lacking

    def _forget(self) -> None:
        """Let go of the first whose time is over."""
        now = self._now()
        while self._sessions and next(iter(self._sessions.values())) <= now:
            self._sessions.popitem(last=False)
        while self._versions and next(iter(self._versions.values())).until <= now:
            self._versions.popitem(last=False)

    def _sweep(self) -> None:
        """Let go of all whose time is over, wherever they stand."""
        now = self._now()
        for session in [key for key, until in self._sessions.items() if until <= now]:
            del self._sessions[session]
        for subject in [key for key, raised in self._versions.items() if raised.until <= now]:
            del self._versions[subject]
