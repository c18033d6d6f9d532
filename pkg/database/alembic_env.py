"""What every service's `env.py` runs.

With a connection handed in (by `migrate`) the migrations run on it, in its transaction. Without
one, Alembic was called from a shell, to write a new migration say: then `-x url=…` names the
database.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import context

from pkg.database.engine import build_migration_engine
from pkg.database.migrate import VERSION_TABLE
from pkg.database.sqlite import WRITES
from pkg.database.url import resolve_url

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection


def run(metadata: MetaData) -> None:
    """Run what Alembic was asked for, with the models' metadata to compare with.

    Raises:
        ValueError: called from a shell without `-x url=…`.
    """
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is not None:
        _run_on(connection, metadata)
        return
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not url:
        raise ValueError("which database? say: alembic -x url=sqlite:///file …")
    asyncio.run(_run_from_shell(str(url), metadata))


def _run_on(connection: Connection, metadata: MetaData) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        user_module_prefix="",  # the template imports the types by name
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run_from_shell(url: str, metadata: MetaData) -> None:
    engine = build_migration_engine(
        resolve_url(url, Path.cwd()), lock_timeout=timedelta(seconds=10)
    )
    try:
        async with engine.connect() as connection:
            await connection.execution_options(**{WRITES: True})
            async with connection.begin():
                await connection.run_sync(_run_on, metadata)
    finally:
        await engine.dispose()
