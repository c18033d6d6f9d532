"""What a database error means.

- a broken constraint   -> `broken_constraint` tells which kind; the repository says it in its words
- no connection, a lock that is not had in time, a deadlock -> Fault UNAVAILABLE: try again
- a statement that runs too long -> Fault DEADLINE_EXCEEDED
- a text that the database cannot hold (PostgreSQL and a NUL) -> Fault INVALID_ARGUMENT
- everything else is a defect and stays as it is

The original error is the cause, for the log. Nothing of it is in the Fault: it may show SQL.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pkg.errors import Fault


class Constraint(Enum):
    """The kinds of constraints."""

    UNIQUE = "unique"
    REFERENCE = "reference"
    """A foreign key leads nowhere, or to a row that is being deleted."""
    OTHER = "other"
    """Null where there must be a value, or a check: a defect of the caller."""


_CONSTRAINTS: Final[dict[str | int, Constraint]] = {
    "SQLITE_CONSTRAINT_UNIQUE": Constraint.UNIQUE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": Constraint.UNIQUE,
    "SQLITE_CONSTRAINT_FOREIGNKEY": Constraint.REFERENCE,
    "SQLITE_CONSTRAINT_TRIGGER": Constraint.REFERENCE,  # what ON DELETE RESTRICT reports
    1062: Constraint.UNIQUE,
    1216: Constraint.REFERENCE,
    1217: Constraint.REFERENCE,
    1451: Constraint.REFERENCE,
    1452: Constraint.REFERENCE,
    "23505": Constraint.UNIQUE,
    "23503": Constraint.REFERENCE,
    "23001": Constraint.REFERENCE,
}
_UNAVAILABLE: Final = frozenset(
    {
        *("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED", "SQLITE_CANTOPEN"),
        *("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY"),
        # connections, shutdown, lock wait, deadlock, server; 0: the driver has closed it itself
        *(0, 1040, 1053, 1203, 1205, 1213, 2003, 2006, 2013),
        *("40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03"),
    }
)
_TOO_LONG: Final = frozenset({"SQLITE_INTERRUPT", 1317, 1969, 3024, "57014"})
_UNTRANSLATABLE: Final = frozenset({1366, "22021", "22P05"})


def code_of(error: DBAPIError) -> str | int:
    """SQLite's name, MySQL's number or PostgreSQL's SQLSTATE of an error; empty for none."""
    original = error.orig
    first = original.args[0] if original is not None and original.args else None
    if isinstance(first, int):  # MySQL's; it has an SQLSTATE too, which says less
        return first
    for attribute in ("sqlite_errorname", "sqlstate"):
        code = getattr(original, attribute, None)
        if isinstance(code, str):
            return code
    return ""


def broken_constraint(error: IntegrityError) -> Constraint:
    """Which kind of constraint a statement would have broken."""
    return _CONSTRAINTS.get(code_of(error), Constraint.OTHER)


def translate(error: Exception) -> Exception:
    """The Fault that an error from the database means; the error itself where it is a defect."""
    if isinstance(error, PoolTimeoutError):
        return Fault("UNAVAILABLE")
    if not isinstance(error, DBAPIError):
        return error
    code = code_of(error)
    if code in _TOO_LONG:
        return Fault("DEADLINE_EXCEEDED")
    if error.connection_invalidated or code in _UNAVAILABLE:
        return Fault("UNAVAILABLE")
    if isinstance(code, str) and code.startswith("08"):
        return Fault("UNAVAILABLE")
    if code in _UNTRANSLATABLE:
        return Fault("INVALID_ARGUMENT")
    return error
