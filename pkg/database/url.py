"""Database URLs: as people write them, as the engine wants them, and as they may be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "mysql": "mysql+asyncmy",
    "mariadb": "mysql+asyncmy",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
"""What is written before `://` or `+` -> dialect and driver."""


def resolve_url(text: str, data_dir: Path) -> URL:
    """The URL of an async engine.

    The driver is put in where none is named. A relative SQLite file is below `data_dir`. MySQL
    speaks utf8mb4.

    Raises:
        ValueError: the text is no such URL, names another driver, or an SQLite database in
            memory, which two connections would not share. Does not show the text.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError("not a database URL, such as postgresql://user@host/name") from None
    kind, _, driver = url.drivername.partition("+")
    name = _DRIVERS.get(kind)
    if name is None:
        raise ValueError(f"no database of the kind {kind!r}: there are {', '.join(_DRIVERS)}")
    if driver and name.partition("+")[2] != driver:
        raise ValueError(f"the driver {driver!r} is not async: leave it away, or use {name}")
    url = url.set(drivername=name)
    if name.startswith("sqlite"):
        return url.set(database=str(_file(url, data_dir)))
    if not url.host or not url.database:
        raise ValueError("the database URL names no host or no database")
    if name.startswith("mysql"):
        return url.update_query_dict({"charset": "utf8mb4"})
    return url


def shown(url: URL) -> str:
    """The URL without its password and its options, which may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _file(url: URL, data_dir: Path) -> Path:
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:"):
        raise ValueError("SQLite needs a plain file: connections do not share one in memory")
    return data_dir / Path(name)
