"""Alerts while the mail server is absent, killed and frozen. Each server here is private.

What must hold: whoever sends an alert never waits; what was taken is mailed when the server is
back, or counted as dropped; nothing needs a restart; stopping keeps its deadline.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import Alert, AlertSettings, TopicSettings
from pkg.alert.mailed import MailedAlerts
from pkg.alert.writer import Writer
from pkg.backoff import BackoffSettings
from pkg.breaker import BreakerMetrics, BreakerSettings
from pkg.clock import SystemClock
from pkg.email import EmailSettings
from pkg.email.smtp import SmtpMailer
from pkg.log import Identity
from pkg.tokens import FakeTokens
from scripts.servers.mailbox import Mailbox
from tests.contract import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)
PATIENCE = 60
"""Seconds until what must happen has happened, on a busy machine."""
INSTANT = 0.9
"""Seconds that no `send` may take, on a busy machine."""
MOST = 150
"""Alerts of one test."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    """A mailbox that is not running; the tests start and break it."""
    servers.address("TEST_SMTP_URL")  # where there are no servers, there is none to break
    mailbox = Mailbox(tmp_path_factory.mktemp("mailbox"))
    yield mailbox
    mailbox.stop()


class Lab:
    """Alerts on their way to the mailbox, with short waits."""

    def __init__(self, mailbox: Mailbox, **settings: Any) -> None:
        self.mailbox = mailbox
        self.registry = CollectorRegistry()
        self.slowest = 0.0
        clock, second = SystemClock(), timedelta(seconds=1)
        email = EmailSettings(
            host="127.0.0.1",
            port=mailbox.ports["smtp"],
            security="none",
            sender="robot@example.com",
            connect_timeout=second,
            command_timeout=second,
            send_timeout=2 * second,
        )
        facts: dict[str, Any] = {
            "topics": (TopicSettings(name="default", subject="s", to=("ops@example.com",)),),
            "burst": MOST,
            "max_waiting": MOST,
            "retry": BackoffSettings(first=second / 5, longest=second),
            "breaker": BreakerSettings(consecutive=3, open_for=second),
            "stop_timeout": 2 * second,
        }
        self.alerts = MailedAlerts(
            SmtpMailer(email, clock=clock, tokens=FakeTokens()),
            AlertSettings(**(facts | settings)),
            Writer(
                "en",
                Identity("user", "1", "test"),
                host="pod-1",
                domain="example.com",
                tokens=FakeTokens("ids"),
            ),
            clock=clock,
            chance=lambda: 0.5,
            registry=self.registry,
            breakers=BreakerMetrics(self.registry),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Lab]:
        await self.alerts.start()
        try:
            yield self
        finally:
            await self.alerts.stop()

    def send(self, title: str) -> None:
        began = time.monotonic()
        self.alerts.send(Alert(topic="default", title=title))
        self.slowest = max(self.slowest, time.monotonic() - began)

    def count(self, series: str, **labels: str) -> int:
        return int(
            sum(
                sample.value
                for family in self.registry.collect()
                for sample in family.samples
                if sample.name == series and labels.items() <= sample.labels.items()
            )
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - counters do not tell
                await asyncio.sleep(0.02)

    async def drained(self) -> float:
        """Seconds until no alert waits."""
        began = time.monotonic()
        await self.until(lambda: self.count("alerts_waiting") == 0)
        return time.monotonic() - began

    async def titles(self) -> set[str]:
        """Of the mails in the mailbox; one that was cut off by a kill has none."""
        async with httpx.AsyncClient(timeout=10) as web:
            reply = await web.get(f"http://127.0.0.1:{self.mailbox.ports['web']}/email")
        subjects = [mail.get("subject", "") for mail in reply.json()]
        return {each.removeprefix("s-").removesuffix("(user)") for each in subjects}


async def test_absent_at_the_start_alerts_are_kept_until_it_is_there(installed: Mailbox) -> None:
    await asyncio.to_thread(installed.kill)
    async with Lab(installed).running() as lab:
        for number in range(10):
            lab.send(f"absent {number}")
        await lab.until(lambda: lab.count("breaker_state") == 2)
        assert lab.count("alerts_waiting") == 10

        await asyncio.to_thread(installed.start)
        drained = await lab.drained()
        LOG.info("absent: 10 alerts, mailed %.1f s after it answers", drained)

        assert {f"absent {number}" for number in range(10)} <= await lab.titles()
        assert lab.count("alerts_mailed_total") == 10
        assert lab.slowest < INSTANT


async def test_killed_under_load_nothing_that_was_taken_is_lost(installed: Mailbox) -> None:
    await asyncio.to_thread(installed.start)
    async with Lab(installed).running() as lab:

        async def load() -> None:
            for number in range(MOST):
                lab.send(f"load {number}")
                await asyncio.sleep(0.02)

        loading = asyncio.create_task(load())
        await lab.until(lambda: lab.count("alerts_mailed_total") >= 10)
        await asyncio.to_thread(installed.kill)
        await loading
        await lab.until(lambda: lab.count("alert_mails_total", outcome="away") > 0)
        told_before = lab.count("alerts_mailed_total")
        assert lab.count("alerts_waiting") == MOST - lab.count("alerts_mailed_total")

        await asyncio.to_thread(installed.start)
        drained = await lab.drained()
        LOG.info(
            "killed: %d alerts, %d mailed, %d dropped; slowest send %.4f s; drained in %.1f s",
            *(MOST, lab.count("alerts_mailed_total"), lab.count("alerts_dropped_total")),
            *(lab.slowest, drained),
        )

        assert lab.count("alerts_mailed_total") == MOST
        assert lab.count("alerts_dropped_total") == 0
        assert len(await lab.titles()) >= MOST - told_before  # it forgets its mails when it dies
        assert lab.slowest < INSTANT


async def test_frozen_nobody_waits_and_all_goes_when_it_thaws(installed: Mailbox) -> None:
    await asyncio.to_thread(installed.start)
    async with Lab(installed).running() as lab:
        installed.freeze()
        try:
            for number in range(20):
                lab.send(f"frozen {number}")
            began = time.monotonic()
            await lab.until(lambda: lab.count("breaker_state") == 2)
            noticed = time.monotonic() - began
            assert noticed < 15  # three tries of at most 2 s, and the waits
            assert lab.count("alerts_waiting") == 20
        finally:
            installed.thaw()
        drained = await lab.drained()
        LOG.info("frozen: noticed after %.1f s, drained %.1f s after the thaw", noticed, drained)

        assert {f"frozen {number}" for number in range(20)} <= await lab.titles()
        assert lab.slowest < INSTANT


async def test_frozen_it_stops_within_its_deadline_and_counts_what_is_left(
    installed: Mailbox,
) -> None:
    await asyncio.to_thread(installed.start)
    lab = Lab(installed, max_waiting=5, stop_timeout=timedelta(seconds=1))
    await lab.alerts.start()
    installed.freeze()
    try:
        for number in range(1000):
            lab.send(f"stop {number}")
        began = time.monotonic()
        await lab.alerts.stop()
        assert time.monotonic() - began < 3
    finally:
        installed.thaw()

    assert lab.count("alerts_dropped_total", reason="stopped") == 1000
    assert lab.slowest < INSTANT
