"""What every registrar and every discovery does."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.backoff import Backoff, BackoffSettings
from pkg.consul import ConsulSettings
from pkg.consul.client import ConsulClient
from pkg.registry import (
    Discovery,
    Instance,
    MemoryRegistry,
    NotRegisteredError,
    Registrar,
    RegistrationSettings,
    StaticDiscovery,
    UnknownServiceError,
)
from pkg.registry.consul import ConsulRegistrar
from pkg.registry.consul_discovery import ConsulDiscovery
from tests.contract import servers
from tests.contract.fake_consul import FakeConsul

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

SOON = 30.0
"""Seconds: far more than it takes."""


@dataclass(frozen=True)
class Market:
    """A registrar, a discovery that hears of it, and the name of a service of this test alone."""

    registrar: Registrar
    discovery: Discovery
    service: str

    def instance(self, name: str = "a", port: int = 9000) -> Instance:
        return Instance(
            id=f"{self.service}-{name}",
            service=self.service,
            address="127.0.0.1",
            ports={"grpc": port, "http": 8000},
            version="1.2",
            tags=("blue",),
            weight=3,
            metadata={"zone": "z1"},
        )


@asynccontextmanager
async def consul(fake: FakeConsul | None) -> AsyncIterator[Market]:
    service = f"shop-{uuid.uuid4().hex}"
    url = "http://127.0.0.1:8500" if fake else servers.address("TEST_CONSUL_URL")
    settings = RegistrationSettings(ttl=timedelta(seconds=60))
    async with ConsulClient(ConsulSettings(url=url), transport=fake) as client:
        discovery = ConsulDiscovery(
            client,
            [service],
            backoff=Backoff(BackoffSettings(), lambda: 0.0),
            hold_empty=timedelta(),
        )
        await discovery.start()
        try:
            yield Market(ConsulRegistrar(client, settings), discovery, service)
        finally:
            await discovery.stop()
            for entry in (await client.healthy(service)).value:
                await client.deregister(entry.id)


@pytest.fixture(params=["memory", "fake", pytest.param("consul", marks=pytest.mark.integration)])
async def market(request: pytest.FixtureRequest) -> AsyncIterator[Market]:
    if request.param == "memory":
        registry = MemoryRegistry()
        yield Market(registry, registry, "shop")
    else:
        async with consul(FakeConsul() if request.param == "fake" else None) as made:
            yield made


class Listener:
    """Hears of a service, and waits for what it should hear."""

    def __init__(self, heard: AsyncGenerator[tuple[Instance, ...], None]) -> None:
        self._heard = heard

    async def hears(self, *instances: Instance) -> None:
        async with asyncio.timeout(SOON):
            async for found in self._heard:
                if found == instances:
                    return


@asynccontextmanager
async def listening(market: Market) -> AsyncIterator[Listener]:
    async with aclosing(market.discovery.watch(market.service)) as heard:
        yield Listener(heard)


async def test_a_service_without_instances_is_empty(market: Market) -> None:
    async with listening(market) as listener:
        await listener.hears()
        assert market.discovery.snapshot(market.service) == ()


async def test_what_is_registered_is_found_as_it_is(market: Market) -> None:
    async with listening(market) as listener:
        await market.registrar.register(market.instance())

        await listener.hears(market.instance())
        assert market.discovery.snapshot(market.service) == (market.instance(),)


async def test_instances_are_in_the_order_of_their_ids(market: Market) -> None:
    async with listening(market) as listener:
        for name in ("b", "c", "a"):
            await market.registrar.register(market.instance(name))

        await listener.hears(*map(market.instance, "abc"))


async def test_who_registers_again_replaces_what_was_known(market: Market) -> None:
    async with listening(market) as listener:
        await market.registrar.register(market.instance(port=1))
        await listener.hears(market.instance(port=1))
        await market.registrar.register(market.instance(port=2))

        await listener.hears(market.instance(port=2))


async def test_who_deregisters_is_found_no_more(market: Market) -> None:
    async with listening(market) as listener:
        await market.registrar.register(market.instance("a"))
        await market.registrar.register(market.instance("b"))
        await listener.hears(market.instance("a"), market.instance("b"))
        await market.registrar.deregister(market.instance("a"))
        await market.registrar.deregister(market.instance("a"))

        await listener.hears(market.instance("b"))


async def test_who_is_not_ready_is_not_found_and_stays_known(market: Market) -> None:
    async with listening(market) as listener:
        await market.registrar.register(market.instance())
        await market.registrar.renew(market.instance(), ready=True)
        await listener.hears(market.instance())
        await market.registrar.renew(market.instance(), ready=False)
        await listener.hears()
        await market.registrar.renew(market.instance(), ready=True)

        await listener.hears(market.instance())


async def test_who_is_not_known_cannot_renew(market: Market) -> None:
    with pytest.raises(NotRegisteredError):
        await market.registrar.renew(market.instance(), ready=True)


async def test_the_snapshot_is_the_same_while_nothing_changes(market: Market) -> None:
    async with listening(market) as listener:
        await market.registrar.register(market.instance())
        await listener.hears(market.instance())
        before = market.discovery.snapshot(market.service)
        await market.registrar.renew(market.instance(), ready=True)

        assert market.discovery.snapshot(market.service) is before


async def test_every_listener_hears(market: Market) -> None:
    async with listening(market) as one, listening(market) as other:
        await market.registrar.register(market.instance())

        await one.hears(market.instance())
        await other.hears(market.instance())


async def test_who_listens_late_hears_what_is_known(market: Market) -> None:
    async with listening(market) as listener:
        await market.registrar.register(market.instance())
        await listener.hears(market.instance())
    async with listening(market) as late:
        await late.hears(market.instance())


@pytest.fixture(params=["static", "fake", pytest.param("consul", marks=pytest.mark.integration)])
async def strict(request: pytest.FixtureRequest) -> AsyncIterator[Discovery]:
    """A discovery that knows which services it follows."""
    if request.param == "static":
        yield StaticDiscovery.of({"shop": ["127.0.0.1:1"]})
    else:
        async with consul(FakeConsul() if request.param == "fake" else None) as made:
            yield made.discovery


async def test_a_service_that_is_not_followed_is_a_mistake(strict: Discovery) -> None:
    with pytest.raises(UnknownServiceError, match="nobody"):
        strict.snapshot("nobody")
    with pytest.raises(UnknownServiceError, match="nobody"):
        strict.watch("nobody")


async def test_static_instances_are_found_at_once() -> None:
    market = Market(MemoryRegistry(), StaticDiscovery([]), "shop")
    instances = [market.instance("b"), market.instance("a")]
    market = replace(market, discovery=StaticDiscovery(instances))

    async with listening(market) as listener:
        await listener.hears(*reversed(instances))
    assert market.discovery.snapshot("shop") is market.discovery.snapshot("shop")
