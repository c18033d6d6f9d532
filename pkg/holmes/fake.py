"""Readings that are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.holmes.readings import Kind, Readings


class FakeProbe:
    """A `Probe` for tests: reads what it was told last."""

    def __init__(self, readings: Readings | None = None) -> None:
        self.readings: dict[Kind, float] = dict(readings or {})
        self.reads = 0
        """How often it was asked."""

    def read(self) -> Readings:
        """What it was told."""
        self.reads += 1
        return dict(self.readings)
