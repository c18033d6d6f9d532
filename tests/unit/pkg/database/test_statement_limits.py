"""How MariaDB and MySQL are told what time a statement has."""

from __future__ import annotations

import pytest

from pkg.database.deadline import mariadb, mysql


@pytest.mark.parametrize("statement", ["SELECT 1", "\n insert into t values (1)", "WITH a AS …"])
def test_mariadb_limits_what_reads_or_writes_rows(statement: str) -> None:
    limited = mariadb(statement, 1.5)
    assert limited == f"SET STATEMENT max_statement_time=1.500 FOR {statement}"


@pytest.mark.parametrize("statement", ["SAVEPOINT a", "CREATE TABLE t (n INT)", "SELECTED", ""])
def test_mariadb_is_told_nothing_of_the_rest(statement: str) -> None:
    assert mariadb(statement, 1.5) == statement


def test_mysql_takes_a_hint_in_a_select() -> None:
    assert mysql(" select a FROM t", 1.5) == " select /*+ MAX_EXECUTION_TIME(1500) */ a FROM t"


@pytest.mark.parametrize("statement", ["SELECT /*+ NO_ICP(t) */ 1", "UPDATE t SET a = 1"])
def test_mysql_is_told_nothing_of_the_rest(statement: str) -> None:
    assert mysql(statement, 1.5) == statement
