"""Column types that mean the same on SQLite, MySQL and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, DateTime, Integer
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

BIG_ID: Final[TypeEngine[int]] = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key that counts by itself. SQLite counts its own INTEGER only, which has 64 bits."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, to the microsecond. Stored in UTC without a zone; read and written with one."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Ask MySQL for microseconds, which it cuts off by default."""
        if dialect.name == "mysql":
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring an instant into UTC.

        Raises:
            ValueError: it has no zone, and so is none.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is not an instant")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)
