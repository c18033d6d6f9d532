"""How calls to one target are tried again, and when it is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from pkg.backoff.settings import BackoffSettings
from pkg.breaker.settings import BreakerSettings
from pkg.config import Duration, Settings

_Positive = Annotated[Duration, Field(gt=timedelta())]


class RetryBackoff(BackoffSettings):
    """Waits between the tries of a call that somebody is waiting for."""

    first: _Positive = timedelta(milliseconds=50)
    longest: _Positive = timedelta(seconds=1)
    spread: float = Field(default=0.5, ge=0, lt=1)


class TargetBreaker(BreakerSettings):
    """Of a target that is looked at again soon: a restart takes seconds."""

    open_for: _Positive = timedelta(seconds=5)


class RetryBudget(Settings):
    """How many calls may be tried again, of all that are made to the target."""

    ratio: float = Field(default=0.1, ge=0, le=1)
    """In the long run this part of the calls. 0: only those of the burst, once."""
    burst: int = Field(default=10, ge=0, le=1000)
    """So many in a row, when the budget is full, as it is at the start."""


class ClientSettings(Settings):
    """Calls to one target."""

    timeout: _Positive = timedelta(seconds=10)
    """For all tries together of a call that neither says its own timeout nor is made within one
    that has a deadline."""
    attempts: int = Field(default=3, ge=1, le=10)
    """How often a call is made at most; 1: never again."""
    budget: RetryBudget = RetryBudget()
    backoff: RetryBackoff = RetryBackoff()
    breaker: TargetBreaker = TargetBreaker()
    patience: Duration = Field(default=timedelta(seconds=1), ge=timedelta())
    """A call that had less than this and was not answered in time says nothing of the target: else
    a caller in a hurry could have it left alone."""
