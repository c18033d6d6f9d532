"""Alerts that go to the log, or are kept."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pkg.alert import Alert, Attachment, LoggedAlerts, MemoryAlerts

if TYPE_CHECKING:
    import pytest

ALERT = Alert(
    topic="panic",
    title="login failed: ValueError",
    detail="a stack",
    attachments=(Attachment("stacks.txt", b"many lines"),),
)


def test_an_alert_without_mail_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        LoggedAlerts().send(ALERT)

    (record,) = caplog.records
    assert record.getMessage() == "panic: login failed: ValueError"
    assert (record.__dict__["detail"], record.__dict__["attachments"]) == (
        "a stack",
        ["stacks.txt"],
    )


def test_alerts_are_the_same_news_whatever_their_details() -> None:
    again = Alert(topic=ALERT.topic, title=ALERT.title, detail="another stack", trace_id="1")

    assert again.key == ALERT.key
    assert Alert(topic="config", title=ALERT.title).key != ALERT.key


def test_alerts_in_memory_are_kept_in_order() -> None:
    alerts = MemoryAlerts()
    other = Alert(topic="config", title="refused")

    alerts.send(ALERT)
    alerts.send(other)

    assert alerts.sent == [ALERT, other]
