"""What a service says of its outbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from pkg.backoff import BackoffSettings
from pkg.config import Duration, Settings

_NONE = timedelta()


class OutboxSettings(Settings):
    """The relay, and how long the inbox remembers."""

    poll: Duration = Field(default=timedelta(milliseconds=500), gt=_NONE)
    """Between two looks at an outbox that was empty."""
    batch: Annotated[int, Field(ge=1, le=1000)] = 100
    """Messages that are sent together."""
    lease: Duration = Field(default=timedelta(minutes=2), gt=_NONE)
    """How long messages are kept for a relay that took them and then died. Longer than the
    producer takes to give up, or they are sent twice."""
    retention: Duration = Field(default=timedelta(days=7), gt=_NONE)
    """How long the inbox remembers an id; longer than any message may be late, replays too."""
    backoff: BackoffSettings = BackoffSettings()
    """After a failure of the bus or of the database."""
