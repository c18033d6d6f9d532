"""What is too much, and what is done then.

Of each kind there is a dump when

    min < value < max, and value > average x (100 + diff) % or value > abs

where the average is that of the last `window` readings, and `diff` waits for as many. Above `max` a
dump would make it worse. After a dump of a kind there is none for its `coolDown`, and at most
`dailyCap` a day. A rule that is `null` watches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from pkg.config import ByteSize, Duration, Settings
from pkg.holmes.readings import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A rule in the unit of its kind."""

    min: float
    diff: float
    abs: float
    max: float | None
    cool_down: timedelta


class Rule(Settings):
    """A rule about a percentage or a count."""

    min: float = Field(ge=0, description="Up to it all is well.")
    diff: float = Field(ge=0, description="Percent above the average.")
    abs: float = Field(ge=0, description="Above it the average does not matter.")
    max: float | None = Field(default=None, ge=0, description="From it on nothing is dumped.")
    cool_down: Duration = Field(default=timedelta(minutes=5), gt=_NONE)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.abs < self.min:
            raise ValueError("abs is less than min")
        if self.max is not None and self.max <= self.abs:
            raise ValueError("max is not more than abs")
        return self

    def limits(self) -> Limits:
        """As the judge takes it."""
        return Limits(
            min=self.min, diff=self.diff, abs=self.abs, max=self.max, cool_down=self.cool_down
        )


class LagRule(Settings):
    """A rule about a time."""

    min: Duration = Field(default=timedelta(milliseconds=250), ge=_NONE)
    diff: float = Field(default=300, ge=0, description="Percent above the average.")
    abs: Duration = Field(default=timedelta(seconds=1), ge=_NONE)
    cool_down: Duration = Field(default=timedelta(minutes=5), gt=_NONE)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.abs < self.min:
            raise ValueError("abs is less than min")
        return self

    def limits(self) -> Limits:
        """In milliseconds."""
        return Limits(
            min=self.min / timedelta(milliseconds=1),
            diff=self.diff,
            abs=self.abs / timedelta(milliseconds=1),
            max=None,
            cool_down=self.cool_down,
        )


class RuleSettings(Settings):
    """A rule for each kind; see `Kind` for what is measured and in which unit."""

    cpu: Rule | None = Rule(min=50, diff=50, abs=90)
    memory: Rule | None = Rule(min=50, diff=25, abs=85)
    gc: Rule | None = Rule(min=5, diff=100, abs=20)
    heap: Rule | None = Rule(min=2_000_000, diff=50, abs=50_000_000)
    lag: LagRule | None = LagRule()
    threads: Rule | None = Rule(min=100, diff=50, abs=500, max=5_000)
    tasks: Rule | None = Rule(min=1_000, diff=100, abs=20_000, max=200_000)
    descriptors: Rule | None = Rule(min=50, diff=50, abs=80)

    def limits(self) -> Mapping[Kind, Limits]:
        """Of each kind that is watched."""
        rules: dict[Kind, Rule | LagRule | None] = {kind: getattr(self, kind) for kind in Kind}
        return {kind: rule.limits() for kind, rule in rules.items() if rule is not None}


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
