"""Why a configuration is refused.

`ConfigError` carries every `Problem` of one attempt, so that all are put right in one go. Neither
ever holds the value of a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KeyPath = tuple[str | int, ...]
"""Where a value is: keys of mappings as they are written, and indexes of lists."""


def dotted(path: KeyPath) -> str:
    """Write a path as people do: `server.http.trustedProxies[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    source: str
    """Where it was said: `dev.yaml:12`, `environment USER__SERVER__HTTP__PORT` or `--set`."""
    key: str
    """The key in dotted camelCase; empty when the source as a whole is wrong."""
    reason: str

    def __str__(self) -> str:
        """The three parts on one line."""
        return ": ".join(part for part in (self.source, self.key, self.reason) if part)


class ConfigError(Exception):
    """The configuration is refused; nothing of it was applied."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Refuse for these reasons, of which there is at least one."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
