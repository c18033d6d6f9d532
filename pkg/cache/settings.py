"""How long values are kept, and what may be done at once."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from pkg.backoff import BackoffSettings
from pkg.config import ByteSize, Duration, Settings

_NONE = timedelta()
_LONGEST = timedelta(days=30)


class LocalSettings(Settings):
    """Values that each process keeps for itself, until it hears that they are invalid."""

    size: int = Field(default=0, ge=0, le=1_000_000)
    """How many; 0 keeps none."""
    ttl: Duration = Field(default=timedelta(seconds=1), gt=_NONE, le=timedelta(minutes=1))
    """At most so long a value is wrong whose invalidation got lost."""


class CacheSettings(Settings):
    """One cache."""

    ttl: Duration = Field(default=timedelta(minutes=5), gt=_NONE, le=_LONGEST)
    """How long a value is fresh, less up to `jitter` of it."""
    stale: Duration = Field(default=timedelta(minutes=1), ge=_NONE, le=_LONGEST)
    """How long after that it is still given, while a new one is loaded in the background."""
    negative_ttl: Duration = Field(default=timedelta(seconds=10), gt=_NONE, le=_LONGEST)
    """How long it is remembered that there is no such thing."""
    jitter: float = Field(default=0.1, ge=0, lt=1)
    """What part of the time is left to chance, so that not all values end at once."""
    load_timeout: Duration = Field(default=timedelta(seconds=10), gt=_NONE)
    """For a loader."""
    wait_for_others: Duration = Field(default=timedelta(seconds=2), ge=_NONE)
    """While another process loads a key; then it is loaded here too."""
    poll: BackoffSettings = BackoffSettings(
        first=timedelta(milliseconds=10), longest=timedelta(milliseconds=200), spread=0.5
    )
    """Between two looks at whether the other process is done."""
    max_direct_loads: int = Field(default=8, ge=1)
    """Loads at once that the store does not coordinate: in an outage, after `wait_for_others`."""
    max_refreshes: int = Field(default=8, ge=1)
    """Loads at once in the background."""
    max_value: ByteSize = ByteSize.parse("1MiB")
    """Greater values are not kept."""
    retry_after: Duration = Field(default=timedelta(seconds=1), gt=_NONE)
    """After a failure, how long the store is left alone."""
    local: LocalSettings = LocalSettings()
