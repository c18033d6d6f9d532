"""How the watchdog looks, and what it keeps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from pkg.config import ByteSize, Duration, Settings
from pkg.holmes.rules import RuleSettings

_NONE = timedelta(0)


class HolmesSettings(Settings):
    """The watchdog."""

    enabled: bool = True
    collect_interval: Duration = Field(
        default=timedelta(seconds=5),
        ge=timedelta(milliseconds=100),
        description="Between two readings of everything but the event loops.",
    )
    lag_interval: Duration = Field(
        default=timedelta(milliseconds=250),
        ge=timedelta(milliseconds=20),
        description="Between two readings of the event loops.",
    )
    window: int = Field(default=10, ge=1, le=1_000, description="Readings that are averaged.")
    daily_cap: int = Field(default=20, ge=1, description="Dumps of one kind per day (UTC).")
    profile: Duration = Field(
        default=timedelta(seconds=5),
        ge=_NONE,
        le=timedelta(minutes=1),
        description="How long the CPU profile of a dump is; 0s: none.",
    )
    directory: Path = Field(
        default=Path(".data/holmes"), description="Where dumps are kept; made when it is needed."
    )
    max_files: int = Field(default=40, ge=2, description="In the directory; the oldest go.")
    max_size: ByteSize = Field(
        default=ByteSize.parse("64MiB"), gt=0, description="Of all files; the oldest go."
    )
    max_text: ByteSize = Field(
        default=ByteSize.parse("1MiB"), gt=0, description="Of one dump's text; the rest is cut."
    )
    rules: RuleSettings = RuleSettings()

    @model_validator(mode="after")
    def _dumps_fit(self) -> Self:
        if self.max_text > self.max_size:
            raise ValueError("maxText is more than maxSize")
        return self
