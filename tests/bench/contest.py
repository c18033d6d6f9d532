"""Rounds in turn: every contestant runs in each, so that a busy machine slows all of them alike."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from tests.bench.load.round import Outcome, Round

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.bench.load.load import Load
    from tests.bench.process import Process


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server, and what is sent to it."""

    name: str
    server: Process
    calls: Path
    transport: Literal["http", "grpc"] = "http"

    def round(
        self, seconds: float, connections: int, *, warmup: float = 0.0, rate: float = 0.0
    ) -> Round:
        """A round of it."""
        return Round(
            transport=self.transport,
            port=self.server.said[self.transport],
            pid=self.server.pid,
            calls=str(self.calls),
            seconds=seconds,
            warmup=warmup,
            connections=connections,
            rate=rate,
        )


class Results:
    """What the rounds came to, by contestant."""

    def __init__(self, names: Sequence[str]) -> None:
        self._rounds: dict[str, list[Outcome]] = {name: [] for name in names}

    def add(self, name: str, outcome: Outcome) -> None:
        """One more round of one of them."""
        self._rounds[name].append(outcome)

    def cpu_ratio(self, above: str, below: str) -> float:
        """How many times the CPU per call of `below` that of `above` is; median of the rounds."""
        return self._ratio(above, below, lambda outcome: outcome.cpu_us)

    def rate_ratio(self, above: str, below: str) -> float:
        """The same of calls a second."""
        return self._ratio(above, below, lambda outcome: outcome.rate)

    def p99_ratio(self, above: str, below: str) -> float:
        """The same of the 99th percentile of the time that a call took."""
        return self._ratio(above, below, lambda outcome: outcome.p99)

    def table(self) -> str:
        """Medians, for people."""
        lines = [f"{'':<34}{'calls/s':>9}{'CPU us':>9}{'p50 ms':>9}{'p99 ms':>9}"]
        for name, row in self.figures().items():
            cells = f"{row['rate']:>9.0f}{row['cpu_us']:>9.1f}{row['p50']:>9.2f}{row['p99']:>9.2f}"
            lines.append(f"{name:<34}{cells}")
        return "\n".join(lines)

    def figures(self) -> dict[str, dict[str, Any]]:
        """Medians, and each round's CPU per call."""
        return {
            name: {
                "rate": median(each.rate for each in rounds),
                "cpu_us": median(each.cpu_us for each in rounds),
                "p50": median(each.p50 for each in rounds),
                "p99": median(each.p99 for each in rounds),
                "cpu_us_rounds": [each.cpu_us for each in rounds],
            }
            for name, rounds in self._rounds.items()
        }

    def _ratio(self, above: str, below: str, of: Callable[[Outcome], float]) -> float:
        pairs = zip(self._rounds[above], self._rounds[below], strict=True)
        return median(of(one) / of(other) for one, other in pairs)


async def compete(
    load: Load,
    contestants: Sequence[Contestant],
    *,
    rounds: int,
    seconds: float,
    connections: int,
) -> Results:
    """Run all rounds, a short one before of each that counts for nothing.

    Raises:
        LoadError: a server answered wrongly.
    """
    results = Results([each.name for each in contestants])
    for each in contestants:
        await load.run(each.round(max(1.0, seconds / 2), connections))
    for _ in range(rounds):
        for each in contestants:
            wanted = each.round(seconds, connections, warmup=min(0.3, seconds / 4))
            results.add(each.name, await load.run(wanted))
    return results
