"""Documents that were refused, for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from pkg.search.search import Item


class RefusedFile:
    """A file of JSON lines. When it is full it takes the place of `<name>.1`, and begins anew."""

    def __init__(self, path: Path, *, max_size: int) -> None:
        self._path = path
        self._max_size = max_size

    def append(self, refused: Iterable[tuple[Item, str]], at: datetime) -> None:
        """Add documents and why they were refused. Blocks.

        Raises:
            OSError: they cannot be written.
        """
        content = b"".join(
            orjson.dumps(
                {
                    "time": at,
                    "index": item.index,
                    "id": item.id,
                    "reason": reason,
                    "document": item.source.decode(errors="replace"),
                }
            )
            + b"\n"
            for item, reason in refused
        )
        if self._path.exists() and self._path.stat().st_size + len(content) > self._max_size:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        with self._path.open("ab") as file:
            file.write(content)
