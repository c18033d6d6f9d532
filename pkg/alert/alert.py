"""The port: whoever notices something wrong says so here, and goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pkg.email.mail import Attachment

__all__ = ["Alert", "Alerts", "Attachment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that a person should know of."""

    topic: str
    """What it is about: `panic`, `config`, `kafka`… Settings say who hears of which topic."""
    title: str
    """One line, without what changes from one time to the next."""
    detail: str = ""
    """What is known: the error, a stack."""
    trace_id: str = ""
    """The trace that it happened in, 32 hex digits, if it happened in one."""
    attachments: tuple[Attachment, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Alerts with the same key are the same news."""
        return self.topic, self.title


class Alerts(Protocol):
    """Where alerts go. May be used by any thread."""

    def send(self, alert: Alert) -> None:
        """Take an alert. Never blocks and never raises: what cannot be taken is counted."""
        ...
