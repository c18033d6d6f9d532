"""Times as Redis takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


def milliseconds(time: timedelta) -> int:
    """For `PX` and `PEXPIRE`; at least one, for none at all would be refused or delete the key."""
    return max(1, round(time.total_seconds() * 1000))
