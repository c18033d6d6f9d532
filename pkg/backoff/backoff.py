"""Waits that grow, with a part left to chance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.backoff.settings import BackoffSettings

Chance = Callable[[], float]
"""A number from 0 up to 1, each as likely as any other. `random.random` is one."""


class Backoff:
    """The waits of one kind of work. Keeps no state: who tries counts its tries."""

    def __init__(self, settings: BackoffSettings, chance: Chance) -> None:
        self._settings = settings
        self._chance = chance

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures in a row.

        At most `longest`, and less than that by up to `spread` of it.

        Raises:
            ValueError: there was no failure.
        """
        if failures < 1:
            raise ValueError("without a failure there is nothing to wait for")
        settings = self._settings
        longest = settings.longest.total_seconds()
        seconds = settings.first.total_seconds()
        try:
            seconds = min(longest, seconds * settings.factor ** (failures - 1))
        except OverflowError:
            seconds = longest
        return timedelta(seconds=seconds * (1 - settings.spread * self._chance()))
