"""What database errors mean."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pkg.database import Constraint, broken_constraint, translate
from pkg.errors import Fault


class SqliteError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__("secret text of the database")
        self.sqlite_errorname = name


class PostgresError(Exception):
    def __init__(self, state: str) -> None:
        super().__init__("secret text of the database")
        self.sqlstate = state


class MysqlError(Exception):
    sqlstate = "HY000"

    def __init__(self, number: int) -> None:
        super().__init__(number, "secret text of the database")


def raised(original: Exception, *, disconnected: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, original, connection_invalidated=disconnected)


@pytest.mark.parametrize(
    ("original", "reason"),
    [
        (SqliteError("SQLITE_BUSY"), "UNAVAILABLE"),
        (SqliteError("SQLITE_CANTOPEN"), "UNAVAILABLE"),
        (SqliteError("SQLITE_INTERRUPT"), "DEADLINE_EXCEEDED"),
        (MysqlError(0), "UNAVAILABLE"),
        (MysqlError(1053), "UNAVAILABLE"),
        (MysqlError(1213), "UNAVAILABLE"),
        (MysqlError(2003), "UNAVAILABLE"),
        (MysqlError(1969), "DEADLINE_EXCEEDED"),
        (MysqlError(3024), "DEADLINE_EXCEEDED"),
        (MysqlError(1366), "INVALID_ARGUMENT"),
        (PostgresError("40P01"), "UNAVAILABLE"),
        (PostgresError("55P03"), "UNAVAILABLE"),
        (PostgresError("08006"), "UNAVAILABLE"),
        (PostgresError("57014"), "DEADLINE_EXCEEDED"),
        (PostgresError("22021"), "INVALID_ARGUMENT"),
    ],
)
def test_what_the_caller_may_know_is_a_fault_without_the_databases_words(
    original: Exception, reason: str
) -> None:
    fault = translate(raised(original))

    assert isinstance(fault, Fault)
    assert fault.reason == reason
    assert "secret" not in str(fault)


def test_a_lost_connection_and_a_full_pool_are_unavailable() -> None:
    for error in (raised(Exception("gone"), disconnected=True), PoolTimeoutError("full")):
        fault = translate(error)
        assert isinstance(fault, Fault)
        assert fault.reason == "UNAVAILABLE"


@pytest.mark.parametrize(
    "error",
    [
        raised(SqliteError("SQLITE_ERROR")),
        raised(PostgresError("42601")),
        raised(MysqlError(1064)),
        raised(Exception()),
        InvalidRequestError("a defect"),
        LookupError("another"),
    ],
)
def test_a_defect_stays_what_it_is(error: Exception) -> None:
    assert translate(error) is error


@pytest.mark.parametrize(
    ("original", "kind"),
    [
        (SqliteError("SQLITE_CONSTRAINT_UNIQUE"), Constraint.UNIQUE),
        (SqliteError("SQLITE_CONSTRAINT_PRIMARYKEY"), Constraint.UNIQUE),
        (SqliteError("SQLITE_CONSTRAINT_FOREIGNKEY"), Constraint.REFERENCE),
        (SqliteError("SQLITE_CONSTRAINT_NOTNULL"), Constraint.OTHER),
        (MysqlError(1062), Constraint.UNIQUE),
        (MysqlError(1451), Constraint.REFERENCE),
        (MysqlError(1452), Constraint.REFERENCE),
        (MysqlError(1048), Constraint.OTHER),
        (PostgresError("23505"), Constraint.UNIQUE),
        (PostgresError("23503"), Constraint.REFERENCE),
        (PostgresError("23502"), Constraint.OTHER),
    ],
)
def test_a_broken_constraint_says_its_kind(original: Exception, kind: Constraint) -> None:
    assert broken_constraint(IntegrityError("INSERT", {}, original)) is kind
