"""What Consul is told of instances, and how its outages are lived through."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import FakeClock
from pkg.consul import ConsulSettings
from pkg.consul.blocking import REST
from pkg.consul.client import ConsulClient
from pkg.registry import (
    ANY,
    Instance,
    NotRegisteredError,
    RegistrationSettings,
    RegistryUnavailableError,
)
from pkg.registry.consul import ConsulRegistrar, registration_of
from pkg.registry.consul_discovery import ConsulDiscovery
from tests.contract.fake_consul import FakeConsul

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOLD = timedelta(seconds=30)
A = Instance(
    id="shop-a",
    service="shop",
    address="10.0.0.1",
    ports={"http": 8000, "grpc": 9000, "admin": 8001},
    version="1.2",
)
B = replace(A, id="shop-b", address="10.0.0.2")


@asynccontextmanager
async def registrar(consul: FakeConsul, **settings: Any) -> AsyncIterator[ConsulRegistrar]:
    async with ConsulClient(ConsulSettings(), transport=consul) as client:
        yield ConsulRegistrar(client, RegistrationSettings(**settings))


def test_the_checks_of_the_settings_are_asked_for() -> None:
    settings = RegistrationSettings(checks=("ttl", "http", "grpc"))
    ttl, http, grpc = registration_of(A, settings).checks

    assert (ttl.id, ttl.ttl) == ("shop-a:ttl", settings.ttl)
    assert http.http == "http://10.0.0.1:8001/readyz"
    assert grpc.grpc == "10.0.0.1:9000"
    assert grpc.deregister_after == timedelta(minutes=1)


def test_consul_itself_knows_the_port_of_grpc_or_else_of_http() -> None:
    settings = RegistrationSettings()

    assert registration_of(A, settings).port == 9000
    assert registration_of(replace(A, ports={"x": 1, "http": 2}), settings).port == 2
    assert registration_of(replace(A, ports={"x": 1}), settings).port == 1


async def test_without_a_ttl_renewing_asks_whether_we_are_known() -> None:
    consul = FakeConsul()
    async with registrar(consul, checks=("grpc",)) as given:
        with pytest.raises(NotRegisteredError):
            await given.renew(A, ready=True)
        await given.register(A)
        await given.renew(A, ready=True)

    assert consul.services["shop-a"].checks == {"shop-a:grpc": "critical"}


async def test_who_is_not_ready_is_a_warning_which_is_never_forgotten() -> None:
    consul = FakeConsul()
    async with registrar(consul) as given:
        await given.register(A)
        await given.renew(A, ready=False)

    assert consul.services["shop-a"].checks == {"shop-a:ttl": "warning"}


async def test_a_consul_that_is_away_is_unavailable() -> None:
    consul = FakeConsul(down=True)
    async with registrar(consul) as given:
        with pytest.raises(RegistryUnavailableError):
            await given.register(A)
        with pytest.raises(RegistryUnavailableError):
            await given.renew(A, ready=True)
        with pytest.raises(RegistryUnavailableError):
            await given.deregister(A)


class Desk:
    """A discovery of one service, and the registrar that feeds it."""

    def __init__(self, consul: FakeConsul, client: ConsulClient) -> None:
        self.consul = consul
        self.clock = FakeClock()
        self.alerts = MemoryAlerts()
        self.metrics = CollectorRegistry()
        self.registrar = ConsulRegistrar(client, RegistrationSettings())
        self.back = asyncio.Event()
        """Tries in an outage wait for it."""
        self._failures: asyncio.Queue[None] = asyncio.Queue()
        self.discovery = ConsulDiscovery(
            client,
            ["shop", "shop"],
            backoff=Backoff(BackoffSettings(first=timedelta(seconds=1)), lambda: 0.0),
            hold_empty=HOLD,
            alerts=self.alerts,
            registry=self.metrics,
            clock=self.clock,
            pause=self.pause,
        )

    async def pause(self, time: timedelta) -> None:
        await asyncio.sleep(0)
        if time != REST:
            self._failures.put_nowait(None)
            await self.back.wait()

    async def hears(self, *instances: Instance) -> None:
        async with asyncio.timeout(30), aclosing(self.discovery.watch("shop")) as heard:
            async for found in heard:
                if found == instances:
                    return

    async def fails(self) -> None:
        """Return when a try has failed, one that was not returned for yet."""
        await asyncio.wait_for(self._failures.get(), 5)

    def sample(self, name: str) -> float | None:
        return self.metrics.get_sample_value(name, {"service": "shop"})


@asynccontextmanager
async def running(consul: FakeConsul | None = None) -> AsyncIterator[Desk]:
    given = consul or FakeConsul()
    async with ConsulClient(ConsulSettings(), transport=given) as client:
        desk = Desk(given, client)
        await desk.discovery.start()
        yield desk
        await desk.discovery.stop()


async def test_an_instance_that_others_registered_has_one_port_for_all() -> None:
    async with running() as desk:
        for name, port in (("foreign", 7), ("portless", 0)):
            payload = registration_of(A, RegistrationSettings()).payload()
            await desk.consul._register(
                payload | {"ID": name, "Port": port, "Meta": None, "Tags": None, "Checks": []}
            )
        await desk.hears(Instance(id="foreign", service="shop", address="10.0.0.1", ports={ANY: 7}))


async def test_it_is_well_once_it_has_heard() -> None:
    async with running(FakeConsul(down=True)) as desk:
        await desk.fails()
        with pytest.raises(RegistryUnavailableError, match="never heard of shop"):
            await desk.discovery.check()
        assert desk.discovery.snapshot("shop") == ()

        desk.consul.down = False
        desk.back.set()
        await desk.hears()
        await desk.discovery.check()


async def test_what_is_known_survives_an_outage_and_is_counted_as_stale() -> None:
    async with running() as desk:
        await desk.registrar.register(A)
        await desk.hears(A)
        assert desk.discovery.snapshot("shop") == (A,)
        assert desk.sample("registry_stale_reads_total") == 0

        await desk.consul.crash()
        await desk.fails()
        desk.clock.advance(timedelta(seconds=9))
        assert desk.discovery.snapshot("shop") == (A,)
        await desk.discovery.check()
        assert desk.discovery.note.startswith("shop stale since 2026-01-01T00:00:00")
        assert desk.sample("registry_stale_reads_total") == 1
        assert desk.sample("registry_age_seconds") == 9
        assert desk.sample("registry_instances") == 1
        assert desk.sample("registry_watch_failures_total") == 1


async def test_a_consul_that_lost_its_state_does_not_empty_a_service_at_once() -> None:
    async with running() as desk:
        await desk.registrar.register(A)
        await desk.hears(A)
        await desk.consul.crash()
        await desk.fails()
        await desk.consul.return_without_state()
        desk.back.set()
        await desk.consul.wait_until_held()
        assert desk.discovery.note == ""
        assert desk.discovery.snapshot("shop") == (A,)
        assert desk.sample("registry_stale_reads_total") == 1

        await desk.registrar.register(B)
        await desk.hears(B)
        desk.discovery.snapshot("shop")
        assert desk.sample("registry_stale_reads_total") == 1


async def test_a_service_that_stays_empty_is_empty_in_the_end() -> None:
    async with running() as desk:
        await desk.registrar.register(A)
        await desk.hears(A)
        await desk.registrar.deregister(A)
        await desk.consul.wait_until_held()
        assert desk.discovery.snapshot("shop") == (A,)
        desk.clock.advance(HOLD)
        await desk.consul.wait_is_over()

        await desk.hears()


async def test_an_instance_that_goes_is_gone_at_once_while_others_stay() -> None:
    async with running() as desk:
        await desk.registrar.register(A)
        await desk.registrar.register(B)
        await desk.hears(A, B)
        await desk.consul.set_check("shop-a", "shop-a:ttl", "critical")

        await desk.hears(B)


async def test_an_outage_that_lasts_sends_one_alert() -> None:
    async with running(FakeConsul(down=True)) as desk:
        desk.back.set()
        for _ in range(10):
            await desk.fails()

        assert [alert.topic for alert in desk.alerts.sent] == ["registry"]
