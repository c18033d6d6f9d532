"""Statements end with the call that they are for: nobody reads what comes later.

A statement whose call is over is not sent. What is running at the deadline is ended

    SQLite       by the progress handler, at the deadline
    MariaDB      by the server, which is told with each statement what time it has
    MySQL        the same for SELECT, which is all that MySQL limits
    PostgreSQL   by the server, which is told with BEGIN what time each statement has, and by the
                 driver's cancel request when the call is cancelled

and everywhere at the latest by `statementTimeout`. None of it costs a round trip.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event

from pkg.errors import Fault
from pkg.rpc.call import current_call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from sqlalchemy.engine import Connection, Engine

DEADLINE: Final = "database_deadline"
"""Execution option of a connection: when its call ends, by `time.monotonic`; None for never."""

_LIMITED: Final = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b", re.IGNORECASE)
_SELECT: Final = re.compile(r"\s*SELECT\b(?!\s*/\*)", re.IGNORECASE)
_LEAST: Final = 0.001
"""In seconds: to the servers 0 means without limit."""

Limited = Callable[[str, float], str]
"""A statement and the seconds that it has -> the statement that says so to the server."""


def of_current_call() -> float | None:
    """For `DEADLINE`: when the call ends that this is part of."""
    call = current_call.get()
    if call is None or call.deadline is None:
        return None
    return time.monotonic() + call.deadline - asyncio.get_running_loop().time()


def deadline_of(options: Mapping[str, Any]) -> float | None:
    """What the options of a connection or an execution say."""
    deadline: float | None = options.get(DEADLINE)
    return deadline


def refuse_late(engine: Engine) -> None:
    """Send no statement whose call is over: Fault DEADLINE_EXCEEDED."""

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, *_: Any) -> None:
        deadline = deadline_of(connection.get_execution_options())
        if deadline is not None and time.monotonic() >= deadline:
            raise Fault("DEADLINE_EXCEEDED")


def tell_server(engine: Engine, ceiling: timedelta, limited: str) -> None:
    """Tell MariaDB or MySQL with each statement how long it may run, where the ceiling is higher.

    Args:
        engine: of the dialect `mysql`.
        ceiling: what holds anyway.
        limited: key of a connection's `info`, where its `Limited` is.
    """
    most = ceiling.total_seconds()

    @event.listens_for(engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        connection = context.root_connection
        deadline = deadline_of(connection.get_execution_options())
        if deadline is None:
            return False
        left = deadline - time.monotonic()
        if left >= most:
            return False
        cursor.execute(connection.info[limited](statement, max(_LEAST, left)), parameters)
        return True


def mariadb(statement: str, seconds: float) -> str:
    """For every statement that reads or writes rows."""
    if not _LIMITED.match(statement):
        return statement
    return f"SET STATEMENT max_statement_time={seconds:.3f} FOR {statement}"


def mysql(statement: str, seconds: float) -> str:
    """A hint, where the statement has none of its own."""
    found = _SELECT.match(statement)
    if found is None:
        return statement
    hint = f" /*+ MAX_EXECUTION_TIME({round(seconds * 1000)}) */"
    return statement[: found.end()] + hint + statement[found.end() :]
