"""Random bytes drawn ahead: a call of the operating system costs more than many ids need."""

from __future__ import annotations

import os
import weakref
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 16
"""Bytes of a piece."""
_AHEAD: Final = 256
"""Pieces that are drawn at once."""


class Drawn:
    """Pieces of random bytes, each given out once. Any thread may take them.

    A process that was forked begins anew, so that it gives out none of its parent's.
    """

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        """`source`: gives so many bytes, fit for secrets."""
        self._source = source
        self._pieces: deque[bytes] = deque()
        method = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget := method()) and forget())

    def take(self) -> bytes:
        """A piece."""
        try:
            return self._pieces.popleft()
        except IndexError:
            drawn = self._source(SIZE * _AHEAD)
            self._pieces.extend(drawn[each : each + SIZE] for each in range(SIZE, len(drawn), SIZE))
            return drawn[:SIZE]

    def _forget(self) -> None:
        self._pieces = deque()
