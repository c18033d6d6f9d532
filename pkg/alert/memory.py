"""Alerts that are kept: for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.alert.alert import Alert


class MemoryAlerts:
    """`Alerts` that remember what they were sent."""

    def __init__(self) -> None:
        self.sent: list[Alert] = []

    def send(self, alert: Alert) -> None:
        """Keep it."""
        self.sent.append(alert)
