"""Alerts by mail with a clock that is moved, waits that end with it, and a mailer that obeys."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from prometheus_client import CollectorRegistry

from pkg.alert import Alert, AlertSettings, TopicSettings
from pkg.alert.mailed import MailedAlerts
from pkg.alert.writer import Writer
from pkg.backoff import BackoffSettings
from pkg.breaker import BreakerMetrics, BreakerSettings
from pkg.clock import FakeClock
from pkg.email import MemoryMailer
from pkg.log import Identity
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.email import Mail, Refusal

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WINDOW = 5 * MINUTE
DEFAULT = TopicSettings(name="default", subject="alert", to=("ops@example.com",))
PANIC = TopicSettings(name="panic", subject="panic", to=("dev@example.com", "boss@example.com"))


class Time:
    """A clock, and a `Pause` that lasts until the clock is moved."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._asleep = asyncio.Event()

    async def pause(self, time: timedelta) -> None:
        sleeper = self.clock.monotonic() + time.total_seconds(), asyncio.Event()
        self._sleepers.append(sleeper)
        self._asleep.set()
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)
            if not self._sleepers:
                self._asleep.clear()

    async def settle(self) -> None:
        """Return when the worker has done what it could, and waits for the clock.

        It does so while a window is open or a mail waits.
        """
        for _ in range(20):  # what it was told arrives within a few rounds of the loop
            await asyncio.sleep(0)
        await self._asleep.wait()

    async def advance(self, by: timedelta) -> None:
        """Let time pass, and what it brings be done."""
        self.clock.advance(by)
        now = self.clock.monotonic()
        for until, woken in self._sleepers:
            if until <= now:
                woken.set()
        await self.settle()


class Post(MemoryMailer):
    """A mailer that tells what was tried, and hangs as long as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.tries = 0
        self.tried = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        self.tries += 1
        self.tried.set()
        await self.open.wait()
        return await super().send(mail)


class Broken(Post):
    """A mailer whose batches fail with a defect while `broken` is set."""

    broken = True

    def batch(self) -> AbstractAsyncContextManager[Self]:
        if self.broken:
            raise KeyError("a defect")
        return super().batch()


class Lab:
    """One `MailedAlerts` with everything around it."""

    def __init__(self, post: Post | None = None, **settings: Any) -> None:
        facts: dict[str, Any] = {
            "topics": (DEFAULT, PANIC),
            "window": WINDOW,
            "retry": BackoffSettings(first=SECOND, longest=MINUTE, spread=0),
            "breaker": BreakerSettings(consecutive=5, open_for=30 * SECOND),
        }
        self.settings = AlertSettings(**(facts | settings))
        self.time = Time()
        self.post = post or Post()
        self.registry = CollectorRegistry()
        writer = Writer(
            self.settings.language,
            Identity("user", "1.2.3", "test"),
            host="pod-1",
            domain="example.com",
            tokens=FakeTokens(),
        )
        self.alerts = MailedAlerts(
            self.post,
            self.settings,
            writer,
            clock=self.time.clock,
            chance=lambda: 0.0,
            pause=self.time.pause,
            registry=self.registry,
            breakers=BreakerMetrics(self.registry),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Lab]:
        await self.alerts.start()
        try:
            yield self
        finally:
            self.post.open.set()
            await self.alerts.stop()

    async def send(self, *alerts: Alert) -> None:
        """Send alerts, and let the worker do what it can."""
        for each in alerts:
            self.alerts.send(each)
        await self.time.settle()

    @property
    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.post.sent]

    def count(self, series: str, **labels: str) -> float:
        """A sample, summed over what is not said."""
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == series and labels.items() <= sample.labels.items()
        )

    def adds_up(self) -> bool:
        """Whether every alert that came in is accounted for."""
        return self.count("alerts_taken_total") == (
            self.count("alerts_mailed_total")
            + self.count("alerts_dropped_total")
            + self.count("alerts_waiting")
        )


def alert(title: str = "login failed", topic: str = "panic", **facts: Any) -> Alert:
    return Alert(topic=topic, title=title, **facts)
