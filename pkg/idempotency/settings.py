"""How long results are kept, and what is done while they cannot be."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from pydantic import Field

from pkg.config import ByteSize, Duration, Settings

_NONE = timedelta()


class WhenAway(Enum):
    """What becomes of a call whose key is optional while the store cannot be asked."""

    REFUSE = "refuse"
    """It is UNAVAILABLE, as it always is where the key is required."""
    SERVE = "serve"
    """It is served as if it had no key: its repetition is done again."""


class IdempotencySettings(Settings):
    """Of all operations of a process."""

    ttl: Duration = Field(
        default=timedelta(hours=24), ge=timedelta(minutes=1), le=timedelta(days=30)
    )
    """How long a result is given again; after that the key is free."""
    longest_call: Duration = Field(default=timedelta(minutes=1), gt=_NONE, le=timedelta(hours=1))
    """A call with a key that has no deadline gets this one."""
    grace: Duration = Field(default=timedelta(seconds=5), ge=timedelta(seconds=1))
    """Beyond its deadline a call has its key for so long: to clean up, and to keep its result. When
    its process dies, the key is free again after the deadline and this."""
    max_result: ByteSize = ByteSize.parse("256KiB")
    """Greater results are not kept; their calls are not served again all the same."""
    when_away: WhenAway = WhenAway.REFUSE
    """For operations whose key is optional."""
    retry_after: Duration = Field(default=timedelta(seconds=1), gt=_NONE)
    """After a failure, how long the store is left alone."""
