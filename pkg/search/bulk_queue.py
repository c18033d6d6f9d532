"""Documents that wait in memory, in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkg.search.search import Item


class BulkQueue:
    """A bounded queue. Every method may be called by any thread."""

    def __init__(self, *, max_items: int, max_size: int) -> None:
        """Begin empty.

        Args:
            max_items: how many it holds.
            max_size: bytes of all of them.
        """
        self._max_items = max_items
        self._max_size = max_size
        self._items: deque[Item] = deque()
        self._size = 0
        self._closed = False
        self._waiting: set[Future[None]] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._items)

    @property
    def size(self) -> int:
        """Bytes of those that wait."""
        return self._size

    @property
    def half_full(self) -> bool:
        """Whether it is time to make room."""
        return 2 * len(self._items) >= self._max_items or 2 * self._size >= self._max_size

    def offer(self, item: Item) -> bool:
        """Take an item; False if there is no room for it, or after `close`."""
        with self._lock:
            if (
                self._closed
                or len(self._items) >= self._max_items
                or self._size + item.size > self._max_size
            ):
                return False
            self._items.append(item)
            self._size += item.size
            return True

    def close(self) -> None:
        """Take no more. What was taken until now is in the queue when this returns."""
        with self._lock:
            self._closed = True

    def room(self) -> Future[None]:
        """Done when items have been taken out, or cancelled by who waits no longer."""
        waiting: Future[None] = Future()
        with self._lock:
            self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return waiting

    def take(self, *, most: int, size: int) -> list[Item]:
        """Take out the oldest, up to so many and so many bytes, and no two with the same id."""
        with self._lock:
            taken = first(self._items, most=most, size=size)
            for item in taken:
                self._items.popleft()
                self._size -= item.size
            waiting = list(self._waiting) if taken else []
        for each in waiting:
            if each.set_running_or_notify_cancel():
                each.set_result(None)
        return taken

    def give_back(self, items: list[Item]) -> None:
        """Put back, at the front, what was taken out last, even if there is no room."""
        with self._lock:
            self._items.extendleft(reversed(items))
            self._size += sum(item.size for item in items)


def first(items: Iterable[Item], *, most: int, size: int) -> list[Item]:
    """The first of these that may go together: at least one, up to a size, no id twice.

    What is written together is not written in order, so that the later of two documents with the
    same id must wait.
    """
    found: list[Item] = []
    seen: set[tuple[str, str]] = set()
    total = 0
    for item in items:
        total += item.size
        key = (item.index, item.id)
        if found and (len(found) >= most or total > size or key in seen):
            break
        found.append(item)
        seen.add(key)
    return found
