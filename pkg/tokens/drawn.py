"""Random ids drawn ahead: a call of the operating system costs more than many ids need."""

from __future__ import annotations

import os
import re
import weakref
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 16
"""Bytes of an id."""
_ID: Final[re.Pattern[str]] = re.compile(f".{{{2 * SIZE}}}")
_AHEAD: Final = 256
"""Ids that are drawn at once."""


class Drawn:
    """Ids of 32 hex digits, each given out once. Any thread may take them.

    A process that was forked begins anew, so that it gives out none of its parent's.
    """

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        """`source`: gives so many bytes, fit for secrets."""
        self._source = source
        self._ids: deque[str] = deque()
        method = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget := method()) and forget())

    def take(self) -> str:
        """An id."""
        try:
            return self._ids.popleft()
        except IndexError:
            digits = self._source(SIZE * _AHEAD).hex()
            ids: list[str] = _ID.findall(digits)
            self._ids.extend(ids[1:])
            return ids[0]

    def _forget(self) -> None:
        self._ids = deque()
