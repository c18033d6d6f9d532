"""What every repository shares: its session, who writes, when, and how errors are said.

Repositories flush and never commit. Lists are ordered and bounded.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError

from internal.user.biz import Dangling, Taken
from pkg.database import Constraint, broken_constraint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Executable, Select
    from sqlalchemy.ext.asyncio import AsyncSession

    from internal.user.data.models import Base

RowT = TypeVar("RowT")


class Repository:
    """A session with the facts for the audit columns."""

    def __init__(self, session: AsyncSession, *, by: str, now: datetime) -> None:
        self._session = session
        self._by = by
        self._now = now

    def _created(self) -> dict[str, Any]:
        """The audit columns of a new row."""
        return {"create_at": self._now, "create_user": self._by, **self._changed()}

    def _changed(self) -> dict[str, Any]:
        """The audit columns of a changed row."""
        return {"update_at": self._now, "update_user": self._by}

    async def _rows(self, query: Select[RowT]) -> Sequence[RowT]:
        """What a query finds, as the database has it now."""
        fresh = query.execution_options(populate_existing=True)
        return (await self._session.scalars(fresh)).all()

    async def _row(self, query: Select[RowT]) -> RowT | None:
        rows = await self._rows(query.limit(1))
        return rows[0] if rows else None

    async def _insert(self, row: Base) -> None:
        """Write a new row at once, so that it gets its id.

        Raises:
            Taken, Dangling: a constraint is broken.
        """
        with constraints():
            self._session.add(row)
            await self._session.flush()

    async def _write(self, statement: Executable) -> int:
        """Update or delete; returns how many rows matched.

        Raises:
            Taken, Dangling: a constraint is broken.
        """
        with constraints():
            result = await self._session.execute(statement)
        return result.rowcount if isinstance(result, CursorResult) else 0


@contextmanager
def constraints() -> Iterator[None]:
    """Say a broken constraint in biz's words."""
    try:
        yield
    except IntegrityError as error:
        kind = broken_constraint(error)
        if kind is Constraint.UNIQUE:
            raise Taken(str(error.orig)) from error
        if kind is Constraint.REFERENCE:
            raise Dangling(str(error.orig)) from error
        raise
