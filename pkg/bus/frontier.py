"""Up to where a partition is done."""

from __future__ import annotations


class Frontier:
    """The messages of a partition in hand; they may be done in any order.

    Only what has nothing undone before it can be committed.
    """

    def __init__(self) -> None:
        self._open: dict[int, bool] = {}
        self.position: int | None = None
        """The offset after the last that is done without a gap; None as long as there is none."""

    def begin(self, offset: int) -> None:
        """Take one in hand, in the order of the partition."""
        self._open[offset] = False

    def done(self, offset: int) -> bool:
        """Note that one is done; whether there is more to commit now."""
        self._open[offset] = True
        moved = False
        while self._open:
            first = next(iter(self._open))
            if not self._open[first]:
                break
            del self._open[first]
            self.position = first + 1
            moved = True
        return moved

    def __len__(self) -> int:
        """How many are kept: those in hand, and those done behind one that is not."""
        return len(self._open)
