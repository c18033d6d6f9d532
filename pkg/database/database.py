"""A service's database, as one event loop sees it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from pkg.database.deadline import DEADLINE, of_current_call
from pkg.database.engine import build_engine
from pkg.database.errors import translate
from pkg.database.sqlite import WRITES, try_file
from pkg.database.transaction import Transaction
from pkg.database.url import resolve_url, shown
from pkg.errors import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from pkg.database.settings import DatabaseSettings


class Database:
    """Engine and sessions of one event loop, and a component of the app.

    Connections belong to the loop that made them: whoever runs two loops makes two of these.
    """

    name = "database"

    def __init__(self, settings: DatabaseSettings, *, data_dir: Path) -> None:
        """Take where the database is; nothing is connected yet.

        Raises:
            ValueError: the URL is not one that `resolve_url` takes.
        """
        self._url = resolve_url(settings.url.get_secret_value(), data_dir)
        self._timeout = settings.connect_timeout
        self._engine = build_engine(self._url, settings)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def address(self) -> str:
        """Where the data is, for people; without a password."""
        return shown(self._url)

    @property
    def engine(self) -> AsyncEngine:
        """For what instruments it."""
        return self._engine

    async def start(self) -> None:
        """Connect once, so that a wrong address is found at the start.

        Raises:
            ConnectionError: the database does not answer; says which and why.
        """
        if self._url.get_backend_name() == "sqlite":
            await try_file(self._url)
        await self.check()

    async def stop(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def check(self) -> None:
        """Ask the database for an answer.

        Raises:
            ConnectionError: there is none within the connect timeout; says why.
        """
        self._bind()
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                async with self._engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
        except TimeoutError as error:
            raise ConnectionError(f"{self.address}: no answer in {self._timeout}") from error
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise ConnectionError(f"{self.address}: {cause}") from error

    @asynccontextmanager
    async def transaction(self, *, writes: bool) -> AsyncIterator[Transaction]:
        """A transaction: committed when the block is left cleanly, rolled back on any exception.

        Within a call its statements end at the call's deadline, in the server too.

        Args:
            writes: whether it may write. SQLite lets such transactions through one at a time.

        Raises:
            Fault: UNAVAILABLE, DEADLINE_EXCEEDED or INVALID_ARGUMENT, as `translate` says.
        """
        self._bind()
        try:
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                try:
                    await session.connection(
                        execution_options={WRITES: writes, DEADLINE: of_current_call()}
                    )
                except OSError as error:  # some drivers let it through
                    raise Fault("UNAVAILABLE") from error
                transaction = Transaction(session)
                yield transaction
                await session.flush()  # may still be interrupted, as any statement may
                await transaction.commit()
        except SQLAlchemyError as error:
            meaning = translate(error)
            if meaning is error:
                raise
            raise meaning from error

    def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("a Database belongs to one event loop; make another for this one")
