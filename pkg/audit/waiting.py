"""Records that wait for the sink, in order, with a bound on how many and how large."""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.audit.metrics import AuditMetrics
    from pkg.audit.record import Record


class Waiting:
    """First in, first out. Any thread may put records; one alone takes them."""

    def __init__(self, *, most: int, most_bytes: int, metrics: AuditMetrics) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._records: deque[tuple[float, int, Record]] = deque()
        """Each with when it came, and its size."""
        self._bytes = 0
        self.short = False
        """Whether one has found no room since some were taken away."""
        self._lock = threading.Lock()
        metrics.show(lambda: len(self._records), lambda: self._bytes)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def full(self) -> bool:
        """Whether there is no room for anything."""
        return len(self._records) >= self._most or self._bytes >= self._most_bytes

    def put(self, record: Record, now: float) -> bool:
        """Take a record, if there is room; whether it was taken. `now`: when, monotonic."""
        size = record.size
        with self._lock:
            if len(self._records) >= self._most or self._bytes + size > self._most_bytes:
                self.short = True
                return False
            self._records.append((now, size, record))
            self._bytes += size
        return True

    def first(self, count: int) -> list[Record]:
        """Up to so many of those that wait longest. They stay."""
        with self._lock:
            return [record for _, _, record in islice(self._records, count)]

    def settle(self, count: int, left: Sequence[Record] = ()) -> None:
        """Take away the first so many, but for those that are left to be written again."""
        with self._lock:
            first = [self._records.popleft() for _ in range(count)]
            self._bytes -= sum(size for _, size, _ in first)
            self.short = False
            if left:
                ids = {record.id for record in left}
                kept = [each for each in first if each[2].id in ids]
                self._records.extendleft(reversed(kept))
                self._bytes += sum(size for _, size, _ in kept)

    def older_than(self, instant: float) -> int:
        """How many of the first came before an instant."""
        with self._lock:
            return sum(1 for _ in takewhile(lambda each: each[0] < instant, self._records))
