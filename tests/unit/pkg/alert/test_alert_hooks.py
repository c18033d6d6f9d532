"""A defect in a call becomes an alert."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from pkg.alert import MemoryAlerts, alert_error, each_of
from pkg.errors import Fault
from pkg.log import Redactor
from pkg.middleware import log_error, recovery
from tests.unit.pkg.middleware.calls import Service, around, call

if TYPE_CHECKING:
    from pkg.rpc import Call


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    raise ValueError("Authorization: Bearer abcdef123456 to mysql://root:hunter2@db/x")


async def test_a_defect_is_logged_and_alerted_with_its_stack(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alerts = MemoryAlerts()
    told = each_of(log_error(logging.getLogger("t")), alert_error(alerts, Redactor()))
    handler = around(recovery(told), Service(ValueError("why")))

    with pytest.raises(Fault, match="INTERNAL"):
        await handler(call(request_id="r1"), None)

    (alert,) = alerts.sent
    assert (alert.topic, alert.title) == ("panic", "lab.v1.Lab/Do failed: ValueError")
    assert alert.trace_id == "0" * 32
    assert alert.detail.startswith("http, request r1\n\nTraceback")
    assert "ValueError: why" in alert.detail
    assert len(caplog.records) == 1


def test_the_same_defect_is_the_same_news() -> None:
    alerts = MemoryAlerts()
    report = alert_error(alerts, Redactor())
    for text in ("user 1", "user 2"):
        report(call(), ValueError(text))

    assert alerts.sent[0].key == alerts.sent[1].key


def test_credentials_are_hidden_and_the_stack_is_bounded() -> None:
    alerts = MemoryAlerts()
    with pytest.raises(ValueError, match="Bearer") as caught:
        deep(500)
    alert_error(alerts, Redactor(max_text=65_536))(call(), caught.value)

    (alert,) = alerts.sent
    assert "abcdef123456" not in alert.detail
    assert "hunter2" not in alert.detail
    assert "Bearer ***" in alert.detail
    assert len(alert.detail) < 20_000


def test_a_hook_that_fails_does_not_keep_others_from_being_told() -> None:
    alerts = MemoryAlerts()

    def broken(call: Call, error: Exception) -> None:
        raise OSError("disk full")

    with pytest.raises(ExceptionGroup) as caught:
        each_of(broken, alert_error(alerts, Redactor()))(call(), ValueError("why"))

    assert caught.group_contains(OSError, match="disk full")
    assert len(alerts.sent) == 1
