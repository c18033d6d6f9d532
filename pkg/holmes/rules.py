"""What is too much.

Of each kind there is a dump when

    min < value < max, and value > average x (100 + diff) % or value > abs

where the average is that of the last `window` readings, and `diff` waits for as many. Above `max` a
dump would make it worse. After a dump of a kind there is none for its `coolDown`, and at most
`dailyCap` a day. A rule that is `null` watches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from pkg.config import Duration, Settings
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


Amount = Annotated[float, Field(ge=0)]


class Rule(Settings):
    """A rule about a percentage or a count."""

    min: Amount = Field(description="Up to it all is well.")
    diff: Amount = Field(description="Percent above the average.")
    abs: Amount = Field(description="Above it the average does not matter.")
    max: Amount | None = Field(default=None, description="From it on nothing is dumped.")
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


class CpuRule(Rule):
    """About `cpu`."""

    min: Amount = 50
    diff: Amount = 50
    abs: Amount = 90


class MemoryRule(Rule):
    """About `memory`."""

    min: Amount = 50
    diff: Amount = 25
    abs: Amount = 85


class GcRule(Rule):
    """About `gc`."""

    min: Amount = 5
    diff: Amount = 100
    abs: Amount = 20


class HeapRule(Rule):
    """About `heap`."""

    min: Amount = 2_000_000
    diff: Amount = 50
    abs: Amount = 50_000_000


class ThreadsRule(Rule):
    """About `threads`."""

    min: Amount = 100
    diff: Amount = 50
    abs: Amount = 500
    max: Amount | None = 5_000


class TasksRule(Rule):
    """About `tasks`."""

    min: Amount = 1_000
    diff: Amount = 100
    abs: Amount = 20_000
    max: Amount | None = 200_000


class DescriptorsRule(Rule):
    """About `descriptors`."""

    min: Amount = 50
    diff: Amount = 50
    abs: Amount = 80


class RuleSettings(Settings):
    """A rule for each kind; see `Kind` for what is measured and in which unit."""

    cpu: CpuRule | None = CpuRule()
    memory: MemoryRule | None = MemoryRule()
    gc: GcRule | None = GcRule()
    heap: HeapRule | None = HeapRule()
    lag: LagRule | None = LagRule()
    threads: ThreadsRule | None = ThreadsRule()
    tasks: TasksRule | None = TasksRule()
    descriptors: DescriptorsRule | None = DescriptorsRule()

    def limits(self) -> Mapping[Kind, Limits]:
        """Of each kind that is watched."""
        rules: dict[Kind, Rule | LagRule | None] = {kind: getattr(self, kind) for kind in Kind}
        return {kind: rule.limits() for kind, rule in rules.items() if rule is not None}
