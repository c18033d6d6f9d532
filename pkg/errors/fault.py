"""The one error that is meant for the caller.

Fault
├── reason       a value of a catalogue enum, e.g. "LOGIN_FAILED": gives code, status and text
├── detail       what is particular to this case, for the caller; empty where the text says it all
├── violations   what is wrong with which field, for INVALID_ARGUMENT
├── metadata     machine-readable facts, e.g. {"retry_after": "30"}
└── __cause__    for the log only

Everything else that is raised is a defect: it is logged and leaves as INTERNAL.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one field breaks."""

    field: str
    """Path in JSON names, e.g. `user.roles[2]`; empty for the message as a whole."""
    rule: str
    """Id of the rule, e.g. `string.min_len`."""
    message: str
    """What the rule asks, in English; transports put the caller's language in its place."""
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What the rule's text in another language fills in, e.g. {"min_len": "3"}."""


class Fault(Exception):  # noqa: N818 - the word says that the caller, not the program, is at fault
    """A refusal with a reason from the catalogue."""

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        violations: tuple[Violation, ...] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.violations = violations
        self.metadata: Mapping[str, str] = metadata or {}

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason
