"""Mails that are kept: for tests, and for looking at what would be sent."""

from __future__ import annotations

from collections import deque
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Self

from pkg.email.errors import Refusal, nobody_took_it

if TYPE_CHECKING:
    from pkg.email.errors import MailError
    from pkg.email.mail import Mail


class MemoryMailer:
    """A `Mailer` that remembers the last mails, and fails as it is told."""

    def __init__(self, capacity: int = 1000) -> None:
        """`capacity`: how many mails are kept; beyond, the oldest are forgotten."""
        self.sent: deque[Mail] = deque(maxlen=capacity)
        self.batches = 0
        """How many have ended or are going on."""
        self.failure: MailError | None = None
        """Raised by every `send` while it is set."""
        self.refused: dict[str, tuple[int, str]] = {}
        """Recipients for whom nothing is taken, with code and text of the reply."""

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        """Keep it, unless it fails."""
        if self.failure is not None:
            raise self.failure
        refusals = tuple(
            Refusal(each, *self.refused[each]) for each in mail.to if each in self.refused
        )
        if len(refusals) == len(mail.to):
            raise nobody_took_it(refusals)
        self.sent.append(mail)
        return refusals

    def batch(self) -> AbstractAsyncContextManager[Self]:
        """Send several."""
        self.batches += 1
        return nullcontext(self)
