"""Records that are kept in memory, the newest of them: for tests."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pkg.audit.sink import NotWrittenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.audit.record import Record


class MemorySink:
    """An `AuditSink`."""

    def __init__(self, most: int = 10_000) -> None:
        """`most`: records that are kept; the oldest go first."""
        self.kept: deque[Record] = deque(maxlen=most)
        self.away = False
        """While it is set, nothing is taken."""

    async def write(self, records: Sequence[Record]) -> None:
        """Keep these."""
        if self.away:
            raise NotWrittenError("the memory is away", left=records)
        self.kept.extend(records)
