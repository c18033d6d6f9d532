"""When calls are refused because there are too many."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from pkg.config import Duration, Settings

_MILLISECOND = timedelta(milliseconds=1)


class SheddingSettings(Settings):
    """Load shedding."""

    enabled: bool = True
    cpu_threshold: float = Field(
        default=80.0, gt=0, le=100, description="Percent; below, no call is refused."
    )
    interval: Duration = Field(
        default=timedelta(milliseconds=250),
        ge=timedelta(milliseconds=20),
        le=timedelta(seconds=10),
        description="Between two readings of the CPU.",
    )
    smoothing: Duration = Field(
        default=timedelta(seconds=2),
        ge=_MILLISECOND,
        le=timedelta(minutes=1),
        description="By when a reading counts for a third of what it did.",
    )
    window: Duration = Field(
        default=timedelta(seconds=10),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        description="How far back calls tell what can be served.",
    )
    buckets: int = Field(default=100, ge=2, le=1_000, description="That the window consists of.")
    min_in_flight: int = Field(
        default=64, ge=1, description="So many calls at a time are never refused."
    )
    cool_down: Duration = Field(
        default=timedelta(seconds=1),
        ge=timedelta(0),
        le=timedelta(minutes=1),
        description="After a refusal the limit holds for so long, however idle the CPU becomes.",
    )
    retry_after: Duration = Field(
        default=timedelta(seconds=1),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="What a refused caller is told to wait; whole seconds, rounded up.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.window / self.buckets < _MILLISECOND:
            raise ValueError("a bucket must last a millisecond at least")
        if self.window < 2 * self.smoothing:
            raise ValueError("the window must be twice as long as the smoothing at least")
        return self
