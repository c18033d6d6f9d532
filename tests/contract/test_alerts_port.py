"""What every `Alerts` does, wherever they go."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pkg.alert import Alert, Alerts, AlertSettings, Attachment, LoggedAlerts, MemoryAlerts
from pkg.alert import TopicSettings as Topic
from pkg.alert.mailed import MailedAlerts
from pkg.alert.writer import Writer
from pkg.clock import SystemClock
from pkg.email import MemoryMailer
from pkg.log import Identity
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ALERT = Alert(
    topic="panic",
    title="login failed: ValueError",
    detail="a stack",
    trace_id="a" * 32,
    attachments=(Attachment("stacks.txt", b"many lines", "text/plain"),),
)


@asynccontextmanager
async def _mailed(mailer: MemoryMailer) -> AsyncIterator[MailedAlerts]:
    tokens = FakeTokens()
    alerts = MailedAlerts(
        mailer,
        AlertSettings(topics=(Topic(name="default", subject="alert", to=("ops@example.com",)),)),
        Writer("en", Identity("user", "1", "test"), host="h", domain="example.com", tokens=tokens),
        clock=SystemClock(),
        chance=lambda: 0.0,
    )
    await alerts.start()
    try:
        yield alerts
    finally:
        await alerts.stop()


class Lab:
    """One adapter, and how to see what it told."""

    def __init__(self, kind: str, caplog: pytest.LogCaptureFixture) -> None:
        self.kind = kind
        self._log = caplog
        self._mailer = MemoryMailer()
        self._memory = MemoryAlerts()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Alerts]:
        if self.kind == "mailed":
            async with _mailed(self._mailer) as alerts:
                yield alerts
        else:
            yield LoggedAlerts() if self.kind == "logged" else self._memory

    def told(self) -> str:
        """Everything that was told, as one text."""
        if self.kind == "memory":
            return "\n".join(f"{each.topic} {each.title}" for each in self._memory.sent)
        if self.kind == "mailed":
            return "\n".join(f"{mail.subject} {mail.text}" for mail in self._mailer.sent)
        return self._log.text


@pytest.fixture(params=["memory", "logged", "mailed"])
def lab(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Lab:
    return Lab(request.param, caplog)


async def test_an_alert_is_told(lab: Lab) -> None:
    async with lab.running() as alerts:
        alerts.send(ALERT)

    assert ALERT.title in lab.told()
    assert ALERT.topic in lab.told()


async def test_news_of_many_kinds_are_all_told(lab: Lab) -> None:
    async with lab.running() as alerts:
        for number in range(40):
            alerts.send(Alert(topic="config", title=f"refused: key {number:02}"))

    assert all(f"key {number:02}" in lab.told() for number in range(40))


async def test_any_thread_may_send(lab: Lab) -> None:
    async with lab.running() as alerts:
        threads = [
            threading.Thread(target=alerts.send, args=(Alert(topic="t", title=f"thread {n}"),))
            for n in range(4)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert all(f"thread {n}" in lab.told() for n in range(4))


@pytest.mark.parametrize(
    "facts",
    [
        {"title": ""},
        {"title": "x" * 1_000_000},
        {"title": "a\r\nBcc: evil@example.com"},
        {"title": "\ud800"},
        {"topic": "\x00"},
        {"detail": "\udfff" * 10},
        {"trace_id": "no id"},
        {"attachments": (Attachment("", b"", "no type"),)},
    ],
)
async def test_whatever_an_alert_says_it_is_taken(lab: Lab, facts: dict[str, Any]) -> None:
    async with lab.running() as alerts:
        alerts.send(Alert(**({"topic": "t", "title": "odd"} | facts)))
        alerts.send(ALERT)

    assert ALERT.title in lab.told()
