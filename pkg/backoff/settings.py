"""How the waits between tries grow."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from pkg.config import Duration, Settings


class BackoffSettings(Settings):
    """Each wait is `factor` times the one before, from `first` up to `longest`."""

    first: Duration = Field(default=timedelta(milliseconds=100), gt=timedelta())
    longest: Duration = Field(default=timedelta(seconds=30), gt=timedelta())
    factor: float = Field(default=2.0, ge=1, le=10)
    spread: float = Field(default=0.2, ge=0, lt=1)
    """What part of a wait is left to chance, so that many who failed together come back apart."""

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
        if self.longest < self.first:
            raise ValueError("longest is shorter than first")
        return self
