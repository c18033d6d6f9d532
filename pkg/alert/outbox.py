"""Letters that wait for the mail server."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkg.alert.letter import Letter, Shortened

if TYPE_CHECKING:
    from pkg.alert.settings import AlertSettings
    from pkg.email.mail import Mail


@dataclass(slots=True, eq=False)
class Pending:
    """A letter on its way."""

    letter: Letter
    since: float
    """Monotonic."""
    alerts: int
    """How many count as mailed when it goes; none, once it has gone to some of its recipients."""
    mail: Mail | None = None
    """As it was written for the first try."""
    failures: int = 0
    not_before: float = 0.0


class Outbox:
    """Bounded in letters and in bytes of attachments. Knows no threads."""

    def __init__(self, settings: AlertSettings) -> None:
        self._max = settings.max_waiting
        self._max_bytes = int(settings.max_memory)
        self._letters: list[Pending] = []
        self._bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether another alert may wait here."""
        return len(self._letters) < self._max

    @property
    def alerts(self) -> int:
        """How many alerts wait."""
        return sum(each.alerts for each in self._letters)

    @property
    def letters(self) -> tuple[Pending, ...]:
        """All that wait."""
        return tuple(self._letters)

    def add(self, letter: Letter, now: float) -> None:
        """Let a letter wait; without its attachments, if there are too many bytes already."""
        if letter.alert is not None and self._bytes + letter.attached > self._max_bytes:
            gone = tuple(
                Shortened(each.name, len(each.content), 0) for each in letter.alert.attachments
            )
            names = {each.name for each in gone}
            letter.shortened = (
                *(each for each in letter.shortened if each.name not in names),
                *gone,
            )
            letter.alert = dataclasses.replace(letter.alert, attachments=())
        self._bytes += letter.attached
        self._letters.append(Pending(letter, since=now, alerts=letter.alerts))

    def remove(self, pending: Pending) -> None:
        """It went, or it never will."""
        self._letters.remove(pending)
        self._bytes -= pending.letter.attached

    def due(self, now: float) -> Pending | None:
        """The first that may be tried."""
        return next((each for each in self._letters if each.not_before <= now), None)

    @property
    def next_at(self) -> float | None:
        """When the next one may be tried; None if none waits."""
        return min((each.not_before for each in self._letters), default=None)
