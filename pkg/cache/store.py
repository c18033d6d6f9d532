"""The port: where entries are kept for all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta


class Stored(NamedTuple):
    """What a key holds."""

    data: bytes
    left: float
    """Seconds until it ends."""


class Invalidation(NamedTuple):
    """What was invalidated: one key, or all that have a tag."""

    key: str | None = None
    tag: str | None = None


class CacheStore(Protocol):
    """Entries, claims to load them, versions of tags. Keys and tags may hold any text.

    Each method raises the Fault UNAVAILABLE when it cannot do its work.
    """

    async def get(self, key: str) -> Stored | None:
        """What a key holds."""
        ...

    async def claim(self, key: str, token: str, ttl: timedelta) -> bool:
        """Claim to load a key; false while another does. Ends by itself after `ttl`."""
        ...

    async def put(self, key: str, token: str, data: bytes, ttl: timedelta) -> bool:
        """Keep what was loaded, and end the claim; false, and nothing is kept, without the claim:
        its time was over, or the key was invalidated since."""
        ...

    async def give_up(self, key: str, token: str) -> None:
        """End a claim. Does nothing if it is another's."""
        ...

    async def invalidate(self, key: str) -> None:
        """Forget what a key holds, let no load that has begun be kept, and tell."""
        ...

    async def versions(self, tags: Sequence[str]) -> list[bytes]:
        """The version of each tag, 8 bytes; zeros for one that was never invalidated."""
        ...

    async def invalidate_tag(self, tag: str, version: bytes, ttl: timedelta) -> None:
        """Give a tag another version, and tell.

        Args:
            tag: of entries.
            version: 8 bytes that no version was before.
            ttl: no entry lives longer; so long it is kept.
        """
        ...

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Invalidation]]:
        """Hear of invalidations from when the block is entered until it is left.

        The iterator ends never, unless by raising that some may have been missed.
        """
        ...
