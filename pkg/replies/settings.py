"""What holds for the cached replies of all operations; how long each is kept, its proto says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import Field

from pkg.cache import CacheSettings, LocalSettings
from pkg.config import ByteSize, Duration, Settings

if TYPE_CHECKING:
    from pkg.rpc import Operation

_NONE = timedelta()
_GRACE: Final = timedelta(seconds=1)


class ReplyCacheSettings(Settings):
    """Of each cached operation in a process."""

    load_timeout: Duration = Field(default=timedelta(seconds=10), gt=_NONE)
    """For making a reply that several callers wait for, where the operation has no timeout."""
    wait_for_others: Duration = Field(default=timedelta(seconds=2), ge=_NONE)
    """While another process makes a reply; then it is made here too."""
    jitter: float = Field(default=0.1, ge=0, lt=1)
    """What part of the time is left to chance, so that not all replies end at once."""
    max_direct_loads: int = Field(default=32, ge=1)
    """Of an operation, at once, while the store is away; more wait up to `load_timeout`."""
    max_refreshes: int = Field(default=8, ge=1)
    """Of an operation, at once, in the background."""
    max_reply: ByteSize = ByteSize.parse("1MiB")
    """Greater replies are not kept."""
    retry_after: Duration = Field(default=timedelta(seconds=1), gt=_NONE)
    """After a failure, how long the store is left alone."""
    local: LocalSettings = LocalSettings()
    """Replies of an operation that each event loop keeps for itself, while it hears of what is
    forgotten; for that each operation has a connection of the store's client. Off by default."""

    def limit(self, operation: Operation) -> timedelta:
        """For making a reply of an operation."""
        return operation.timeout or self.load_timeout

    def of(self, operation: Operation) -> CacheSettings:
        """The cache of an operation that is cached.

        Raises:
            ValueError: it is not, or a reply would be kept for more than 30 days.
        """
        cached = operation.cached
        if cached is None:
            raise ValueError(f"{operation.name} is not cached")
        return CacheSettings(
            ttl=cached.ttl,
            stale=cached.stale,
            jitter=self.jitter,
            # What makes the reply ends first, and says so.
            load_timeout=self.limit(operation) + _GRACE,
            wait_for_others=self.wait_for_others,
            max_direct_loads=self.max_direct_loads,
            max_refreshes=self.max_refreshes,
            max_value=self.max_reply,
            retry_after=self.retry_after,
            local=self.local,
        )
