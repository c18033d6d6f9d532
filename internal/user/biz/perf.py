"""The probe: one row written and read back, through every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class PerfRecord:
    """One row. `id` is 0 and the creation not told until it is stored."""

    uid: str
    user_name: str
    motto: str
    text: str
    create_at: datetime | None = None
    create_user: str = ""
    id: int = 0


class PerfRepository(Protocol):
    """Rows of the probe."""

    async def add(self, record: PerfRecord) -> int:
        """Store a row; returns its id."""
        ...

    async def get(self, record_id: int) -> PerfRecord | None:
        """The row, with who wrote it and when."""
        ...
