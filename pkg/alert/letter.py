"""What one mail is to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pkg.alert.alert import Alert
    from pkg.alert.settings import TopicSettings


@dataclass(slots=True)
class Kind:
    """Alerts with the same key, as far as they were held back."""

    title: str
    detail: str = ""
    """The begin of the detail of the first that was held back, where none was mailed in full."""
    trace_id: str = ""
    """Of the last one."""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Shortened:
    """An attachment of which not everything goes along."""

    name: str
    size: int
    """Bytes that it had."""
    kept: int
    """Bytes that it has; 0 if it was left out."""


@dataclass(slots=True)
class Letter:
    """One mail: an alert in full, or the sum of those that were held back."""

    topic: TopicSettings
    at: datetime
    alert: Alert | None = None
    shortened: tuple[Shortened, ...] = ()
    kinds: list[Kind] = field(default_factory=list)
    """Of a sum, those that came most often."""
    others: int = 0
    """Of a sum, alerts of further kinds."""
    last_today: bool = False

    @property
    def alerts(self) -> int:
        """How many alerts it tells of."""
        return 1 if self.alert is not None else self.others + sum(k.count for k in self.kinds)

    @property
    def attached(self) -> int:
        """Bytes of attachments."""
        return sum(len(each.content) for each in self.alert.attachments) if self.alert else 0
