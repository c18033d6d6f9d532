"""One instance stays registered, whatever happens to the registry."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.app import App, Hooks
from pkg.backoff import Backoff, BackoffSettings
from pkg.consul import ConsulSettings
from pkg.consul.client import ConsulClient
from pkg.registry import Instance, MemoryRegistry, Registration, RegistrationSettings
from pkg.registry.consul import ConsulRegistrar
from tests.contract.fake_consul import FakeConsul

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EVERY = timedelta(seconds=5)
SECOND = timedelta(seconds=1)
US = Instance(id="shop-1", service="shop", address="127.0.0.1", ports={"grpc": 9000})


class Desk:
    """A registration whose waits pass when the test says so."""

    def __init__(self) -> None:
        self.registry = MemoryRegistry()
        self.alerts = MemoryAlerts()
        self.metrics = CollectorRegistry()
        self.waits: list[timedelta] = []
        self.ready = True
        self.ask: Callable[[], Awaitable[bool]] = self.is_ready
        self._beats: asyncio.Queue[None] = asyncio.Queue()
        self._waiting = asyncio.Event()
        self.registration = Registration(
            self.registry,
            US,
            every=EVERY,
            backoff=Backoff(BackoffSettings(first=SECOND, factor=2), lambda: 0.0),
            ready=lambda: self.ask(),
            alerts=self.alerts,
            registry=self.metrics,
            pause=self.pause,
        )

    async def is_ready(self) -> bool:
        return self.ready

    async def pause(self, time: timedelta) -> None:
        self.waits.append(time)
        self._waiting.set()
        await self._beats.get()

    async def beat(self, times: int = 1) -> None:
        """Let waits pass; return when what follows each has been done."""
        for _ in range(times):
            await self._waiting.wait()
            self._waiting.clear()
            self._beats.put_nowait(None)
            await self._waiting.wait()

    def found(self) -> tuple[Instance, ...]:
        return self.registry.snapshot("shop")

    def sample(self, name: str) -> float | None:
        return self.metrics.get_sample_value(name, {"service": "shop"})


async def test_the_start_registers_and_the_stop_deregisters() -> None:
    desk = Desk()
    await desk.registration.start()
    assert desk.found() == (US,)
    assert desk.sample("registry_registered") == 1
    assert desk.registration.note == ""

    await desk.registration.stop()
    assert desk.found() == ()
    assert desk.sample("registry_registered") == 0


async def test_renewing_tells_whether_we_are_ready() -> None:
    desk = Desk()
    await desk.registration.start()
    await desk.beat()
    assert desk.found() == (US,)
    desk.ready = False
    await desk.beat()
    assert desk.found() == ()
    desk.ready = True
    await desk.beat()
    assert desk.found() == (US,)
    await desk.registration.stop()

    assert set(desk.waits) == {EVERY}
    assert desk.sample("registry_registrations_total") == 1


async def test_what_the_registry_forgot_is_registered_again() -> None:
    desk = Desk()
    await desk.registration.start()
    desk.registry.forget()
    await desk.beat()
    assert desk.found() == (US,)
    await desk.registration.stop()

    assert desk.sample("registry_registrations_total") == 2


async def test_a_registry_that_is_away_at_the_start_hears_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    desk = Desk()
    desk.registry.away = True
    await desk.registration.start()
    await desk.registration.check()
    assert desk.registration.note == "not known to the registry"
    await desk.beat(5)
    desk.registry.away = False
    await desk.beat()
    assert desk.found() == (US,)
    assert desk.registration.note == ""
    await desk.registration.stop()

    assert desk.waits[:6] == [SECOND, 2 * SECOND, 4 * SECOND, EVERY, EVERY, EVERY]
    assert desk.sample("registry_failures_total") == 6
    assert [alert.topic for alert in desk.alerts.sent] == ["registry"]
    assert caplog.text.count("does not take what we say") == 1
    assert "the registry is back after 6 failures" in caplog.text


async def test_an_answer_about_readiness_that_fails_is_survived() -> None:
    async def broken() -> bool:
        raise RuntimeError("no answer")

    desk = Desk()
    desk.ask = broken
    await desk.registration.start()
    await desk.beat()
    desk.ask = desk.is_ready
    await desk.beat()
    assert desk.sample("registry_failures_total") == 1
    assert desk.found() == (US,)
    await desk.registration.stop()


async def test_who_left_is_not_renewed_and_may_leave_again() -> None:
    desk = Desk()
    await desk.registration.leave()
    await desk.registration.start()
    await desk.registration.leave()
    assert desk.found() == ()
    await desk.registration.stop()


async def test_a_registry_that_is_away_at_the_stop_does_not_hold_it_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    await desk.registration.start()
    desk.registry.away = True
    await desk.registration.stop()

    assert "shop-1 could not be deregistered: the registry is away" in caplog.text


async def test_an_app_is_found_while_it_runs_and_not_while_it_drains() -> None:
    desk = Desk()
    seen: list[tuple[Instance, ...]] = []

    async def look() -> None:
        seen.append(desk.found())

    async def stop() -> None:
        app.stop()

    app = App(
        "shop",
        "1",
        [desk.registration],
        hooks=Hooks(after_start=(look, stop), before_stop=(desk.registration.leave, look)),
    )
    await app.run()

    assert seen == [(US,), ()]


async def test_a_check_that_the_instance_has_no_port_for_ends_the_start() -> None:
    async with ConsulClient(ConsulSettings(), transport=FakeConsul()) as client:
        registration = Registration(
            ConsulRegistrar(client, RegistrationSettings(checks=("http",))),
            US,
            every=EVERY,
            backoff=Backoff(BackoffSettings(), lambda: 0.0),
        )
        with pytest.raises(ValueError, match="shop-1 has no port for the check http"):
            await registration.start()
