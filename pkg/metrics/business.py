"""Counts what happens to the business: orders placed, sign-ups, captchas failed.

    business_events_total{name}         counter

The names are declared once and cannot be made up while the process runs, so that a caller's data
never becomes a label.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter

if TYPE_CHECKING:
    from collections.abc import Iterable

OTHER: Final = "other"
"""What a name that was not declared is counted as: no call fails for a count."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


class BusinessEvents:
    """The events of one service. May be used by any thread."""

    def __init__(self, registry: CollectorRegistry, names: Iterable[str]) -> None:
        """Declare the events; each is 0 from the start.

        Raises:
            ValueError: a name is not lower-case letters, digits and underscores, or the registry
                has the series already.
        """
        declared = dict.fromkeys((*names, OTHER))
        for name in declared:
            if not _NAME.fullmatch(name):
                raise ValueError(f'"{name}" is no name of an event, such as "order_placed"')
        series = Counter(
            "business_events", "What happened to the business.", ("name",), registry=registry
        )
        self._events = {name: series.labels(name) for name in declared}

    def count(self, name: str, times: int = 1) -> None:
        """Something happened, so many times."""
        (self._events.get(name) or self._events[OTHER]).inc(times)
