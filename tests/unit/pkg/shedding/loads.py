"""A load and a probe that are told."""

from __future__ import annotations


class FakeLoad:
    """A `Load`."""

    def __init__(self, percent: float = 0.0) -> None:
        self.percent = percent


class FakeCpu:
    """A `CpuProbe` that reads what it was told last, or raises it."""

    def __init__(self, reading: float | Exception | None = None) -> None:
        self.reading = reading
        self.reads = 0

    def read(self) -> float | None:
        self.reads += 1
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading
