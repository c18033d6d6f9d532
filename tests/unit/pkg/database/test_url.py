"""Database URLs: as people write them, as the engine wants them, as they may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkg.database import resolve_url, shown

DATA = Path("/srv/data")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqlite:///user.db", "sqlite+aiosqlite:////srv/data/user.db"),
        ("sqlite:////var/user.db", "sqlite+aiosqlite:////var/user.db"),
        ("sqlite+aiosqlite:///a/b.db", "sqlite+aiosqlite:////srv/data/a/b.db"),
        ("mysql://u:p@h/d", "mysql+asyncmy://u:p@h/d?charset=utf8mb4"),
        ("mariadb://u:p@h:1/d?ssl=1", "mysql+asyncmy://u:p@h:1/d?charset=utf8mb4&ssl=1"),
        ("mysql://h/d?charset=latin1", "mysql+asyncmy://h/d?charset=utf8mb4"),
        ("postgres://u:p%40ss@h/d", "postgresql+asyncpg://u:p%40ss@h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
    ],
)
def test_the_driver_is_put_in_and_files_are_below_the_data(text: str, expected: str) -> None:
    assert resolve_url(text, DATA).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a database URL"),
        ("hunter2", "not a database URL"),
        ("oracle://u:hunter2@h/d", "no database of the kind 'oracle'"),
        ("mysql+pymysql://u:hunter2@h/d", "'pymysql' is not async"),
        ("sqlite://", "plain file"),
        ("sqlite:///:memory:", "plain file"),
        ("sqlite:///file:x?mode=memory&uri=true", "plain file"),
        ("postgresql://u:hunter2@h", "no host or no database"),
        ("postgresql:///d", "no host or no database"),
    ],
)
def test_what_cannot_be_used_is_refused_without_showing_it(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        resolve_url(text, DATA)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_shown_url_has_no_password_and_no_options() -> None:
    url = resolve_url("postgresql://u:hunter2@h:1/d?password=hunter2", DATA)
    assert shown(url) == "postgresql+asyncpg://u:***@h:1/d"
