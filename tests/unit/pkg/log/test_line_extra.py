"""Extras beside what the line says anyway."""

from __future__ import annotations

import logging

from pkg.log import Redactor
from pkg.log.line import LineMaker


def _fields(**extra: str) -> dict[str, object]:
    maker = LineMaker({"service": "shop"}, lambda: {"operation": "Shop/Buy"}, Redactor())
    record = logging.makeLogRecord({"msg": "sold", "name": "calls", **extra})
    return maker.fields(record)


def test_an_extra_that_says_what_the_line_says_is_said_once() -> None:
    assert "operation_" not in _fields(operation="Shop/Buy")


def test_an_extra_that_says_something_else_is_kept_beside_the_field() -> None:
    fields = _fields(operation="Shop/Sell")
    assert (fields["operation"], fields["operation_"]) == ("Shop/Buy", "Shop/Sell")
