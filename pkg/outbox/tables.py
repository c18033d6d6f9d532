"""The tables of outbox and inbox, in a service's own schema and migrations.

A migration makes them with `create_tables(op)` and drops them with `drop_tables(op)`. The metadata
of the service's models gets them by `outbox_table` and `inbox_table`, so that Alembic finds nothing
to change. With a prefix a database can hold those of several services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)
from sqlalchemy.dialects.mysql import LONGBLOB

from pkg.database import BIG_ID, UtcDateTime

if TYPE_CHECKING:
    from alembic.operations import Operations

_BYTES: Final = LargeBinary().with_variant(LONGBLOB(), "mysql")
_OPTIONS: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
_COUNTING: Final[dict[str, Any]] = {
    **_OPTIONS,
    "sqlite_autoincrement": True,  # an id that was sent and deleted does not come again
}


def outbox_table(metadata: MetaData, prefix: str = "") -> Table:
    """Messages that wait for the bus, oldest first."""
    name = f"{prefix}outbox"
    return Table(name, metadata, *_outbox(name), Index(*_lanes(name)), **_COUNTING)


def inbox_table(metadata: MetaData, prefix: str = "") -> Table:
    """Ids of messages that were handled, and by which group."""
    name = f"{prefix}inbox"
    return Table(name, metadata, *_inbox(name), Index(*_ages(name)), **_OPTIONS)


def create_tables(operations: Operations, prefix: str = "") -> None:
    """Make both tables, in a migration."""
    outbox, inbox = f"{prefix}outbox", f"{prefix}inbox"
    operations.create_table(outbox, *_outbox(outbox), **_COUNTING)
    operations.create_table(inbox, *_inbox(inbox), **_OPTIONS)
    for table, (index, *columns) in ((outbox, _lanes(outbox)), (inbox, _ages(inbox))):
        operations.create_index(index, table, columns)


def drop_tables(operations: Operations, prefix: str = "") -> None:
    """Drop both tables, in a migration. What waits is lost."""
    operations.drop_table(f"{prefix}inbox")
    operations.drop_table(f"{prefix}outbox")


def _outbox(name: str) -> tuple[Any, ...]:
    return (
        Column("id", BIG_ID, nullable=False, autoincrement=True),
        Column("topic", String(200), nullable=False),
        Column("message_key", _BYTES, nullable=True),
        Column("value", _BYTES, nullable=False),
        Column("headers", _BYTES, nullable=False),
        # The same for messages whose order counts; none for those without a key.
        Column("lane", BigInteger, nullable=True),
        Column("created_at", UtcDateTime(), nullable=False),
        # Which relay is sending it, and until when nobody else may.
        Column("claimed_by", String(32), nullable=True),
        Column("claimed_until", UtcDateTime(), nullable=True),
        # Why the bus will never take it. Such a row is for people to look at.
        Column("refusal", String(500), nullable=True),
        PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )


def _inbox(name: str) -> tuple[Any, ...]:
    return (
        Column("consumer", String(200), nullable=False),
        Column("message_id", String(64), nullable=False),
        Column("handled_at", UtcDateTime(), nullable=False),
        PrimaryKeyConstraint("consumer", "message_id", name=f"pk_{name}"),
    )


def _lanes(name: str) -> tuple[str, ...]:
    return f"ix_{name}_lane", "lane", "id"


def _ages(name: str) -> tuple[str, ...]:
    return f"ix_{name}_handled_at", "handled_at"
