"""Processes that start together all open the new file of SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

from pkg.database.sqlite import try_file
from pkg.database.url import resolve_url

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_new_file_is_switched_over_by_whoever_comes_first(tmp_path: Path) -> None:
    for number in range(40):
        url = resolve_url(f"sqlite:///{number}.db", tmp_path)
        await asyncio.gather(*(try_file(url) for _ in range(6)))

    with sqlite3.connect(tmp_path / "0.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
