"""Says what was measured against what was promised, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gate:
    """One promise: a ratio (or a size, or a time) and what it must not miss."""

    name: str
    ratio: float
    target: float
    at_most: bool = False
    """The promise is an upper bound."""

    @property
    def passed(self) -> bool:
        """Whether the promise is kept. What could not be measured is not."""
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    @property
    def line(self) -> str:
        """`gate <name> <ratio> <target> pass|fail`."""
        verdict = "pass" if self.passed else "fail"
        return f"gate {self.name} {self.ratio:.2f} {self.target:g} {verdict}"


@dataclass(slots=True)
class Report:
    """What a benchmark comes to."""

    benchmark: str
    gates: list[Gate] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    """As JSON takes them."""

    def finish(self, to: Path | None) -> int:
        """Print the gates, write the file if one is wanted; gives the exit status."""
        for gate in self.gates:
            print(gate.line, flush=True)
        if to is not None:
            gates = [
                {
                    "name": gate.name,
                    "ratio": gate.ratio,
                    "target": gate.target,
                    "at_most": gate.at_most,
                    "passed": gate.passed,
                }
                for gate in self.gates
            ]
            whole = {"benchmark": self.benchmark, "gates": gates, "figures": self.figures}
            to.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        return 0 if all(gate.passed for gate in self.gates) else 1
