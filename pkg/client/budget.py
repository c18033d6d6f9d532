"""How many tries are left: a part of the calls, so that tries cannot bury who is already down."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.client.settings import RetryBudget

_UNIT = 1_000_000
"""A try in whole numbers: tenths do not add up to one."""


class Budget:
    """Each call puts in a part of a try, each further try takes out a whole one. Any thread."""

    def __init__(self, settings: RetryBudget) -> None:
        """Full at the start, so that the first calls of a process can be tried again too."""
        self._part = round(settings.ratio * _UNIT)
        self._most = settings.burst * _UNIT
        self._held = self._most
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Tries."""
        return self._held / _UNIT

    def deposit(self) -> None:
        """A call is made."""
        if self._held < self._most:
            with self._lock:
                self._held = min(self._most, self._held + self._part)

    def withdraw(self) -> bool:
        """May a call be made again?"""
        with self._lock:
            if self._held < _UNIT:
                return False
            self._held -= _UNIT
            return True
