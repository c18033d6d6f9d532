"""Bringing a database to where the code needs it, with small migrations of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from pkg.database import Database, DatabaseSettings, MigrationError, migrate, resolve_url, revisions

if TYPE_CHECKING:
    from sqlalchemy import URL

ENV = """
from sqlalchemy import MetaData
from pkg.database.alembic_env import run
run(MetaData())
"""
VERSION = """
from alembic import op
revision = "{revision}"
down_revision = {before}
def upgrade():
    {upgrade}
def downgrade():
    pass
"""


class Scripts:
    """A directory of migrations, 0001 first."""

    def __init__(self, location: Path) -> None:
        self.location = location
        (location / "versions").mkdir(parents=True)
        (location / "env.py").write_text(ENV)

    def add(self, *statements: str) -> None:
        count = len(list((self.location / "versions").glob("*.py")))
        lines = "\n    ".join(f'op.execute("{statement}")' for statement in statements)
        (self.location / "versions" / f"{count + 1:04}_change.py").write_text(
            VERSION.format(
                revision=f"{count + 1:04}",
                before=repr(f"{count:04}") if count else None,
                upgrade=lines or "pass",
            )
        )


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    """With one migration, in a directory whose name needs care."""
    made = Scripts(tmp_path / "50% of it")
    made.add("CREATE TABLE a (n INTEGER PRIMARY KEY)")
    return made


@pytest.fixture
def url(tmp_path: Path) -> URL:
    """Of a file that is not there yet."""
    return resolve_url("sqlite:///new/data.db", tmp_path)


async def tables(url: URL) -> set[str]:
    database = Database(DatabaseSettings(), data_dir=Path(str(url.database)).parent)
    async with database.transaction(writes=False) as transaction:
        names = await transaction.session.scalars(
            text("SELECT name FROM sqlite_master WHERE type = 'table'")
        )
        found = set(names)
    await database.stop()
    return found - {"alembic_version"}


async def test_only_what_is_new_runs(url: URL, scripts: Scripts) -> None:
    assert await migrate(url, scripts.location)
    scripts.add("CREATE TABLE b (n INTEGER)")
    assert await migrate(url, scripts.location)
    assert not await migrate(url, scripts.location)
    assert await tables(url) == {"a", "b"}


async def test_a_migration_that_fails_leaves_nothing(url: URL, scripts: Scripts) -> None:
    scripts.add("CREATE TABLE b (n INTEGER)", "NO SUCH STATEMENT")

    with pytest.raises(Exception, match="syntax error"):
        await migrate(url, scripts.location)
    assert await tables(url) == set()


async def test_a_migration_may_not_leave_references_to_nothing(url: URL, scripts: Scripts) -> None:
    scripts.add("CREATE TABLE b (n INTEGER REFERENCES a (n))", "INSERT INTO b VALUES (7)")

    with pytest.raises(MigrationError, match="leads nowhere"):
        await migrate(url, scripts.location)
    assert await tables(url) == set()


async def test_alembic_is_not_imported_when_there_is_nothing_to_do(
    url: URL, scripts: Scripts
) -> None:
    await migrate(url, scripts.location)
    code = (
        "import asyncio, sys; from pathlib import Path; from pkg.database import *\n"
        f"url = resolve_url('sqlite:///{url.database}', Path('/'))\n"
        f"assert not asyncio.run(migrate(url, Path({str(scripts.location)!r})))\n"
        "assert 'alembic' not in sys.modules"
    )
    await _run(sys.executable, "-c", code)


async def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path, scripts: Scripts) -> None:
    (tmp_path / "data.db").mkdir()
    with pytest.raises(ConnectionError, match="unable to open database file"):
        await migrate(resolve_url("sqlite:///data.db", tmp_path), scripts.location)


async def test_a_server_that_is_not_there_is_told_without_a_password(
    tmp_path: Path, scripts: Scripts
) -> None:
    for kind in ("mysql", "postgresql"):
        with pytest.raises(ConnectionError) as caught:
            await migrate(
                resolve_url(f"{kind}://u:hunter2@127.0.0.1:1/d", tmp_path), scripts.location
            )
        assert "hunter2" not in str(caught.value)


async def test_who_waits_too_long_for_another_process_is_told(url: URL, scripts: Scripts) -> None:
    await migrate(url, scripts.location)
    scripts.add("CREATE TABLE b (n INTEGER)")
    database = Database(DatabaseSettings(), data_dir=Path(str(url.database)).parent)
    async with database.transaction(writes=True):
        with pytest.raises(MigrationError, match="another process"):
            await migrate(url, scripts.location, lock_timeout=timedelta(milliseconds=50))
    await database.stop()


async def test_a_person_calls_alembic_itself(url: URL, tmp_path: Path) -> None:
    scripts = Scripts(tmp_path / "plain")
    scripts.add("CREATE TABLE a (n INTEGER PRIMARY KEY)")
    (scripts.location / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s\npath_separator = os\n"
    )
    alembic = (sys.executable, "-m", "alembic", "-c", str(scripts.location / "alembic.ini"))

    await _run(*alembic, "-x", f"url=sqlite:///{url.database}", "upgrade", "head")
    assert await tables(url) == {"a"}

    with pytest.raises(subprocess.CalledProcessError) as caught:
        await _run(*alembic, "upgrade", "head")
    assert "which database?" in caught.value.stderr


@pytest.mark.parametrize("names", [[], ["0002_a.py"], ["0001_a.py", "0001_b.py"], ["1_a.py"]])
def test_migrations_count_from_one_without_a_gap(tmp_path: Path, names: list[str]) -> None:
    (tmp_path / "versions").mkdir()
    for name in names:
        (tmp_path / "versions" / name).touch()
    with pytest.raises(ValueError, match="without a gap"):
        revisions(tmp_path)


async def _run(*command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(  # noqa: ASYNC221, S603 - nothing else runs meanwhile; the test's own command
        command, check=True, capture_output=True, text=True, env=environment, timeout=60
    )
