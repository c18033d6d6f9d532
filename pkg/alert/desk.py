"""Decides which alerts of one topic are mailed at once, and which are held back for a sum.

The first alert of a kind opens a window, if none is open, and is mailed. Until the window ends,
repeats are only counted; then one mail sums up what was held back. A kind that was repeated stays
known for the next window, so that one that never ends costs one mail a window. A window in which
nothing was held back closes, and its kinds are news again.

Knows no threads and does no work: `MailedAlerts` guards it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkg.alert.bounds import MAX_TITLE, MAX_TOPIC, bounded, one_line
from pkg.alert.letter import Kind, Letter

if TYPE_CHECKING:
    from datetime import date

    from pkg.alert.alert import Alert
    from pkg.alert.settings import AlertSettings, TopicSettings
    from pkg.clock import Clock

_TOLD: Final = 50
"""Kinds that a sum tells apart."""
_SHORT: Final = 1000
"""Characters of a detail in a sum."""


class Desk:
    """The alerts of one topic. Its memory is bounded by the settings."""

    def __init__(self, topic: TopicSettings, settings: AlertSettings, clock: Clock) -> None:
        self.topic = topic
        self._settings = settings
        self._clock = clock
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._others = 0
        self.waiting = 0
        """Alerts that are held back."""
        self.window_ends: float | None = None
        """Monotonic; None while nothing has happened."""
        self._burst = 0
        self._day: date | None = None
        self._mails = 0

    def take(self, alert: Alert, *, room: bool) -> tuple[Letter | None, bool]:
        """Take an alert; returns what to mail at once, if anything, and whether it is news.

        `room`: whether another mail may wait for the server.
        """
        key = alert.topic[:MAX_TOPIC], alert.title[:MAX_TITLE]
        kind = self._kinds.get(key)
        if kind is not None:
            self._hold(kind, alert)
            return None, False
        if len(self._kinds) >= self._settings.max_kinds:
            self._others += 1
            self.waiting += 1
            return None, False
        if self.window_ends is None:
            self._begin_window()
        kind = self._kinds[key] = Kind(one_line(alert.title, MAX_TITLE))
        if not room or self._burst <= 0 or not self._may_mail():
            kind.detail = alert.detail[:_SHORT]
            self._hold(kind, alert)
            return None, True
        self._burst -= 1
        cut, shortened = bounded(
            alert,
            max_detail=self._settings.max_detail,
            max_attachments=self._settings.max_attachments,
        )
        last = self._count_mail()
        now = self._clock.now()
        return Letter(self.topic, now, alert=cut, shortened=shortened, last_today=last), True

    def summed_up(self, *, at_once: bool = False) -> Letter | None:
        """What was held back, when its window has ended, or `at_once`."""
        ends = self.window_ends
        if ends is None or (not at_once and self._clock.monotonic() < ends):
            return None
        if self.waiting and not self._may_mail():
            self._begin_window()  # held back until tomorrow
            return None
        repeated = {key: kind for key, kind in self._kinds.items() if kind.count}
        others, waiting = self._others, self.waiting
        self._kinds = {key: Kind(kind.title) for key, kind in repeated.items()}
        self._others = self.waiting = 0
        if not waiting:
            self.window_ends = None
            return None
        self._begin_window()
        most = sorted(repeated.values(), key=lambda kind: -kind.count)
        others += sum(kind.count for kind in most[_TOLD:])
        last = self._count_mail()
        now = self._clock.now()
        return Letter(self.topic, now, kinds=most[:_TOLD], others=others, last_today=last)

    def _hold(self, kind: Kind, alert: Alert) -> None:
        kind.count += 1
        kind.trace_id = alert.trace_id[:MAX_TOPIC]
        self.waiting += 1

    def _begin_window(self) -> None:
        self.window_ends = self._clock.monotonic() + self._settings.window.total_seconds()
        self._burst = self._settings.burst

    def _may_mail(self) -> bool:
        today = self._clock.now().date()
        if today != self._day:
            self._day, self._mails = today, 0
        return self._mails < self._settings.daily_cap

    def _count_mail(self) -> bool:
        """Count a mail, and tell whether it is the last of today."""
        self._mails += 1
        return self._mails == self._settings.daily_cap
