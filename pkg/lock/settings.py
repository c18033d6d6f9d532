"""How long locks last, and how long to wait for one."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from pkg.backoff import BackoffSettings
from pkg.config import Duration, Settings


class LockSettings(Settings):
    """What holds where `acquire` is told nothing else."""

    ttl: Duration = Field(
        default=timedelta(seconds=10), ge=timedelta(milliseconds=100), le=timedelta(days=1)
    )
    """After so long without a renewal others may have the lock. Renewed three times as often."""
    wait: Duration = Field(default=timedelta(seconds=5), ge=timedelta())
    """For another who holds it."""
    poll: BackoffSettings = BackoffSettings(
        first=timedelta(milliseconds=10), longest=timedelta(milliseconds=500), spread=0.5
    )
    """Between two tries."""
