"""The port: who serves a call under a key, and what came of it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


class State(Enum):
    """What became of a try to begin."""

    BEGUN = "begun"
    """The key was free, and is this call's now."""
    RUNNING = "running"
    """Another call with the same request has it, and is being served."""
    DONE = "done"
    """A call with the same request was served."""
    OTHER = "other"
    """The key belongs to another request."""


class Begun(NamedTuple):
    """The answer to a try."""

    state: State
    result: bytes = b""
    """Of the call that is DONE."""


class Claim(NamedTuple):
    """One call's hold on a key."""

    key: str
    """Any text."""
    fingerprint: bytes
    """Of the request: who comes with another one is refused."""
    token: str
    """Of this call alone."""


class IdempotencyStore(Protocol):
    """Keys, each held by one call until its lease is over or its result is kept.

    Each method is atomic, may be repeated with the same claim, and raises the Fault UNAVAILABLE
    when it cannot do its work; it may have been done all the same.
    """

    async def begin(self, claim: Claim, lease: timedelta) -> Begun:
        """Take a key that is free, for so long; else tell what is known of it.

        Who asks again with the token that holds the key has begun.
        """
        ...

    async def finish(self, claim: Claim, result: bytes, ttl: timedelta) -> bool:
        """Keep the result of a call; false, and nothing is kept, if another call has the key.

        It is kept too when the lease was over and nobody has taken the key since.
        """
        ...

    async def abandon(self, claim: Claim) -> None:
        """Free the key. Does nothing if another has it, or the result is kept."""
        ...
