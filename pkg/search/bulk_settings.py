"""How many documents are gathered, how long they wait, and what happens when they cannot leave."""
# The annotations below are read at run time, so they are not deferred.

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from pkg.backoff import BackoffSettings
from pkg.config import ByteSize, Duration, Settings

_NONE = timedelta(0)


class SpillSettings(Settings):
    """What is kept on disk while the server is away."""

    max_size: ByteSize = Field(default=ByteSize.parse("256MiB"), ge=1024 * 1024)
    """Of all files. When they are full the queue fills, and then documents are turned away: what
    was taken is never dropped for what comes later."""
    sync: Literal["always", "never"] = "always"
    """always: what was written survives a power cut. never: only the end of this process."""


class BulkSettings(Settings):
    """A bulk indexer."""

    flush_items: int = Field(default=500, ge=1, le=10_000)
    """Documents of one request."""
    flush_size: ByteSize = Field(default=ByteSize.parse("2MiB"), ge=1024)
    """Of one request, about. A document may not be larger."""
    flush_every: Duration = Field(default=timedelta(seconds=1), gt=_NONE)
    """How long a document waits for others to go along."""
    queue_items: int = Field(default=10_000, ge=1)
    """Documents in memory, beside those of the request under way."""
    queue_size: ByteSize = Field(default=ByteSize.parse("32MiB"), ge=1024)
    """Of the documents in memory."""
    full_wait: Duration = Field(default=timedelta(0), ge=_NONE, le=timedelta(seconds=30))
    """How long `add` waits for room before it turns a document away."""
    max_attempts: int = Field(default=8, ge=1, le=100)
    """For a document on which the server itself fails. One that the server has no time for is tried
    until it has."""
    backoff: BackoffSettings = BackoffSettings(
        first=timedelta(milliseconds=200), longest=timedelta(seconds=10)
    )
    """Between tries."""
    stop_timeout: Duration = Field(default=timedelta(seconds=5), ge=_NONE)
    """How long to go on sending at the stop; the rest goes to disk."""
    spill: SpillSettings | None = SpillSettings()
    """None: what cannot leave stays in memory, and is lost with the process."""
    refused_size: ByteSize = Field(default=ByteSize.parse("16MiB"), ge=1024)
    """Of the file of refused documents; the one before it is kept too."""
    required: bool = False
    """Whether the process is not ready while the server is away."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.queue_items < self.flush_items or self.queue_size < self.flush_size:
            raise ValueError("the queue is smaller than what is sent at a time")
        return self
