"""A connection to PostgreSQL whose transactions say when they must have ended.

The limit goes to the server together with BEGIN, and so costs no round trip. The driver also sends
a cancel request when a call is cancelled; but one that overtakes its statement is lost.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import asyncpg  # type: ignore[import-untyped] # it brings no types
from sqlalchemy import event

from pkg.database.deadline import deadline_of

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy.engine import Connection, Engine

_BEGIN: Final = "BEGIN"


class LimitedConnection(asyncpg.Connection):  # type: ignore[misc] # of no known type
    """Begins transactions with what time their statements have."""

    deadline: float | None = None
    """Of the transaction that is to begin, by `time.monotonic`; None where the session's own limit
    is enough."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - as asyncpg has it
        """Run statements; BEGIN takes the limit along."""
        if self.deadline is not None and not args and query.startswith(_BEGIN):
            left = max(1, round((self.deadline - time.monotonic()) * 1000))
            query = f"{query.rstrip(';')}; SET LOCAL statement_timeout = {left};"
        done: str = await super().execute(query, *args, timeout=timeout)
        return done


def limit_transactions(engine: Engine, ceiling: timedelta) -> None:
    """Give each transaction the time that its call has, where the ceiling is higher."""
    most = ceiling.total_seconds()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        deadline = deadline_of(connection.get_execution_options())
        if deadline is not None and deadline - time.monotonic() >= most:
            deadline = None
        driver: Any = connection.connection.driver_connection
        driver.deadline = deadline
