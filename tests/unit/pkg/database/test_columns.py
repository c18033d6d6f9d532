"""Column types that mean the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import mysql, sqlite

from pkg.database import UtcDateTime

DIALECT = sqlite.dialect()
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_an_instant_is_stored_in_utc_and_comes_back_with_its_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=8)))
    column = UtcDateTime()

    stored = column.process_bind_param(elsewhere, DIALECT)
    assert stored == datetime(2026, 6, 1, 12)  # noqa: DTZ001 - what the database holds has none
    assert column.process_result_value(stored, DIALECT) == NOON


def test_nothing_stays_nothing() -> None:
    assert UtcDateTime().process_bind_param(None, DIALECT) is None
    assert UtcDateTime().process_result_value(None, DIALECT) is None


def test_a_time_without_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="not an instant"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), DIALECT)  # noqa: DTZ001 - the point


def test_mysql_keeps_microseconds() -> None:
    assert str(UtcDateTime().compile(mysql.dialect())) == "DATETIME(6)"
    assert str(UtcDateTime().compile(DIALECT)) == "DATETIME"
