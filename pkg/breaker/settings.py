"""When a breaker opens, and for how long."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from pkg.config import Duration, Settings


class BreakerSettings(Settings):
    """It opens by whichever comes first: failures in a row, or their part of the last calls."""

    consecutive: int = Field(default=5, ge=1)
    """So many failures in a row open it."""
    ratio: float = Field(default=0.5, gt=0, le=1)
    """This part of the calls within the window opens it, if there were enough of them."""
    window: Duration = Field(default=timedelta(seconds=30), gt=timedelta())
    """How long a call counts towards the ratio."""
    min_calls: int = Field(default=20, ge=1)
    """Fewer within the window say nothing of the ratio."""
    open_for: Duration = Field(default=timedelta(seconds=30), gt=timedelta())
    """Before it is tried whether calls succeed again."""
    probes: int = Field(default=1, ge=1)
    """So many calls are let through to try, and so many must succeed to close it."""
