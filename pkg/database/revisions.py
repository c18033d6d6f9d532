"""The migrations of a service, as files tell them; Alembic is not needed to look.

A migration is `versions/<number>_<what>.py`; the number, four digits and counting up by one, is its
revision. So the history is a line, and its head the highest number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = re.compile(r"(\d{4})_\w+\.py")


def revisions(location: Path) -> tuple[str, ...]:
    """Every revision, oldest first.

    Raises:
        ValueError: there are none, or the numbers have a gap or stand twice.
    """
    found = sorted(
        match[1]
        for path in (location / "versions").glob("*.py")
        if (match := _FILE.fullmatch(path.name))
    )
    if found != [f"{number:04}" for number in range(1, len(found) + 1)] or not found:
        raise ValueError(f"{location}: migrations count from 0001 without a gap, not {found}")
    return tuple(found)
