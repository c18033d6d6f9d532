"""Why a mail did not go.

MailError
├── MailServerError     nobody to talk to: away, too slow, not whom we trust, refuses our login
├── MailDeferredError   the server does not take this mail now (4yz), and may later
└── MailRefusedError    the server does not take this mail (5yz), and will not later either
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A recipient whom the server does not take mail for."""

    recipient: str
    code: int
    """Of the reply: 4yz or 5yz."""
    text: str
    """What the server said."""

    @property
    def temporary(self) -> bool:
        """Whether the same mail may be taken later."""
        return is_temporary(self.code)


class MailError(Exception):
    """The mail did not go to anybody, as far as can be known."""


class MailServerError(MailError):
    """There is no talking with the server. It says nothing of the mail, which may go later."""


class MailDeferredError(MailError):
    """Not now: a mailbox is full, the server is busy, or makes strangers wait."""

    def __init__(self, text: str, refusals: tuple[Refusal, ...] = ()) -> None:
        """`refusals`: of each recipient, where that is the reason. Some may be for ever."""
        self.refusals = refusals
        super().__init__(text)


class MailRefusedError(MailError):
    """Never: no such recipients, a sender that is not allowed, a mail that is too large."""

    def __init__(self, text: str, refusals: tuple[Refusal, ...] = ()) -> None:
        """`refusals`: of each recipient, where that is the reason."""
        self.refusals = refusals
        super().__init__(text)


def is_temporary(code: int) -> bool:
    """Whether a reply code says "not now"; one that is none, from a broken server, does too."""
    return not 500 <= code <= 599


def nobody_took_it(refusals: tuple[Refusal, ...]) -> MailDeferredError | MailRefusedError:
    """The error for a mail that every recipient was refused for."""
    text = "; ".join(f"{each.recipient}: {each.code} {each.text}" for each in refusals)
    if any(each.temporary for each in refusals):
        return MailDeferredError(text, refusals)
    return MailRefusedError(text, refusals)
