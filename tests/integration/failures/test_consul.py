"""A Consul that is absent, killed, robbed of its state, or frozen: configuration and registry.

absent at the start     configuration: refused in time, or waited for; registry: starts all the same
killed, brought back    what is known stays; everything is followed again without a restart
state lost              instances register again; discovery never empties
frozen                  noticed, served from what is known, over when it thaws
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.app import Health, Phase
from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import SystemClock
from pkg.config import Sources
from pkg.config.remote import (
    Remote,
    RemoteError,
    RemoteSettings,
    RemoteSource,
    Said,
    first_load,
    load_with_remote,
    open_source,
)
from pkg.config.sections import ServiceSettings
from pkg.config.watcher import Watcher
from pkg.consul import ConsulSettings
from pkg.consul.client import ConsulClient
from pkg.registry import Instance, Registration, RegistrationSettings
from pkg.registry.consul import ConsulRegistrar
from pkg.registry.consul_discovery import ConsulDiscovery
from scripts.servers.consul import Consul
from tests.contract.servers import address

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)
SECOND = timedelta(seconds=1)
SOON = 40.0
"""Seconds: a Consul that is started takes some to have a leader."""
KEY = "config/shop/prod.yaml"
BACKOFF = BackoffSettings(first=timedelta(milliseconds=100), longest=SECOND)
A = Instance(id="shop-a", service="shop", address="127.0.0.1", ports={"grpc": 9000})


@pytest.fixture
def absent(tmp_path: Path) -> Iterator[Consul]:
    """A Consul of this test alone, which has not been started."""
    address("TEST_CONSUL_URL")  # there is one to be had here
    server = Consul(tmp_path / "consul")
    try:
        yield server
    finally:
        server.stop()
        assert not server.pid  # which also reaps it


@pytest.fixture
def consul(absent: Consul) -> Consul:
    absent.start()
    return absent


def lose_state(server: Consul) -> None:
    server.kill()
    shutil.rmtree(server.data)
    (server.directory / "settled").unlink()


async def eventually(true: Callable[[], bool], within: float = SOON) -> float:
    """Seconds until it is true."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - a real server tells when it is asked
            await asyncio.sleep(0.05)
    return time.monotonic() - began


def backoff() -> Backoff:
    return Backoff(BACKOFF, lambda: 0.0)


def remote(server: Consul, **changes: timedelta) -> RemoteSettings:
    known = {"wait": SECOND, "timeout": SECOND, "start_timeout": 2 * SECOND}
    return RemoteSettings(
        url=f"consul://127.0.0.1:{server.port}/{KEY}", backoff=BACKOFF, **known | changes
    )


@asynccontextmanager
async def client(server: Consul, patience: timedelta = 10 * SECOND) -> AsyncIterator[ConsulClient]:
    url = f"http://127.0.0.1:{server.port}"
    settings = ConsulSettings(url=url, timeout=patience, wait=SECOND)
    async with ConsulClient(settings) as made:
        yield made


async def put(server: Consul, text: str) -> None:
    async with client(server) as writer:
        await writer.put(KEY, text.encode())


# Configuration.


async def test_configuration_that_is_absent_is_refused_in_time(absent: Consul) -> None:
    source = open_source(remote(absent))
    assert source is not None
    began = time.monotonic()
    with pytest.raises(RemoteError, match=f"not read within 2s: .*:{absent.port}, /v1/kv/{KEY}"):
        await first_load(source, remote(absent), tell=lambda _: None)
    LOG.info("absent: configuration refused after %.1f s of 2", time.monotonic() - began)
    assert time.monotonic() - began < 10


async def test_a_consul_that_hangs_at_the_start_is_refused_in_time(consul: Consul) -> None:
    source = open_source(remote(consul))
    assert source is not None
    consul.freeze()
    began = time.monotonic()
    with pytest.raises(RemoteError, match="no answer in 1 s"):
        await first_load(source, remote(consul), tell=lambda _: None)
    assert time.monotonic() - began < 5


async def test_configuration_that_comes_late_is_waited_for(absent: Consul) -> None:
    settings = remote(absent, start_timeout=timedelta(minutes=1))
    source = open_source(settings)
    assert source is not None
    told: list[str] = []
    loading = asyncio.create_task(first_load(source, settings, tell=told.append))
    await eventually(lambda: bool(told))
    await asyncio.to_thread(absent.start)
    await put(absent, "admin: {port: 7}\n")

    assert (await loading)[0].text == "admin: {port: 7}\n"
    assert len(told) == 1


class Overheard:
    """A source whose failures are noted."""

    def __init__(self, source: RemoteSource, failures: list[str]) -> None:
        self.name = source.name
        self._source = source
        self._failures = failures

    async def load(self) -> Said:
        return await self._source.load()

    async def watch(self) -> AsyncGenerator[Said, None]:
        try:
            async with aclosing(self._source.watch()) as heard:
                async for said in heard:
                    yield said
        except RemoteError as error:
            self._failures.append(str(error))
            raise


class Desk:
    """A watcher of a Consul's key."""

    def __init__(self, server: Consul, loaded_port: int) -> None:
        settings = remote(server)
        source = open_source(settings)
        assert source is not None
        self.alerts = MemoryAlerts()
        self.failures: list[str] = []
        """What tries failed with."""
        sources = Sources(
            service="shop",
            sets=(
                f"remote.url={settings.url}",
                "remote.wait=1s",
                "remote.timeout=1s",
            ),
        )
        self.loaded = load_with_remote(ServiceSettings, sources, tell=lambda _: None)
        assert self.loaded.settings.admin.port == loaded_port
        self.watcher = Watcher(
            self.loaded,
            remote=Remote(source=Overheard(source, self.failures), backoff=backoff()),
            alerts=self.alerts,
        )
        self.health = Health([self.watcher], clock=SystemClock())
        self.health.phase = Phase.RUNNING

    @property
    def port(self) -> int:
        return self.watcher.settings.admin.port

    async def is_ready(self) -> bool:
        async with asyncio.timeout(1):
            return (await self.health.report()).ready


@asynccontextmanager
async def following(server: Consul) -> AsyncIterator[Desk]:
    await put(server, "admin: {port: 1}\n")
    desk = await asyncio.to_thread(Desk, server, 1)
    await desk.watcher.start()
    try:
        yield desk
    finally:
        await desk.watcher.stop()


async def test_a_change_is_taken_and_a_bad_one_refused_with_its_place(consul: Consul) -> None:
    async with following(consul) as desk:
        await put(consul, "admin: {port: 2}\n")
        await eventually(lambda: desk.port == 2)
        await put(consul, "log: {level: info}\nadmin: {port: many}\n")
        await eventually(lambda: bool(desk.alerts.sent))

        assert desk.port == 2
        assert f"consul:{KEY}:2: admin.port" in desk.alerts.sent[0].detail


async def test_configuration_survives_that_consul_is_killed(consul: Consul) -> None:
    async with following(consul) as desk:
        for port in (2, 3):
            consul.kill()
            noticed = await eventually(lambda: bool(desk.watcher.note))
            assert desk.port == port - 1
            assert await desk.is_ready()
            await asyncio.to_thread(consul.start)
            await put(consul, f"admin: {{port: {port}}}\n")
            taken = await eventually(lambda wanted=port: desk.port == wanted)  # type: ignore[misc] # mypy cannot infer a lambda with a default
            LOG.info("killed: noticed in %.1f s; a change taken in %.1f s", noticed, taken)
            assert desk.watcher.note == ""


async def test_configuration_that_consul_lost_stays(consul: Consul) -> None:
    async with following(consul) as desk:
        lose_state(consul)
        await asyncio.to_thread(consul.start)
        await eventually(lambda: any(f"has no key {KEY}" in each for each in desk.failures))
        assert desk.port == 1
        assert desk.watcher.note
        assert await desk.is_ready()
        await put(consul, "admin: {port: 2}\n")

        await eventually(lambda: desk.port == 2)


async def test_configuration_survives_that_consul_freezes(consul: Consul) -> None:
    async with following(consul) as desk:
        consul.freeze()
        noticed = await eventually(lambda: bool(desk.watcher.note), within=10)
        assert desk.port == 1
        assert await desk.is_ready()
        consul.thaw()
        await put(consul, "admin: {port: 2}\n")

        taken = await eventually(lambda: desk.port == 2)
        LOG.info("frozen: noticed in %.1f s; a change taken in %.1f s", noticed, taken)


# Registry.


class Shop:
    """An instance that is registered, and a client that looks for it."""

    def __init__(self, made: ConsulClient, hold_empty: timedelta) -> None:
        self.metrics = CollectorRegistry()
        settings = RegistrationSettings(ttl=timedelta(seconds=6))
        self.discovery = ConsulDiscovery(
            made, ["shop"], backoff=backoff(), hold_empty=hold_empty, registry=self.metrics
        )
        self.registration = Registration(
            ConsulRegistrar(made, settings),
            A,
            every=timedelta(milliseconds=500),
            backoff=backoff(),
            registry=CollectorRegistry(),
        )

    @property
    def found(self) -> tuple[Instance, ...]:
        return self.discovery.snapshot("shop")

    def sample(self, name: str) -> float:
        return self.metrics.get_sample_value(name, {"service": "shop"}) or 0


@asynccontextmanager
async def shop(
    server: Consul, hold_empty: timedelta = timedelta(seconds=30)
) -> AsyncIterator[Shop]:
    async with client(server, patience=SECOND) as made:
        given = Shop(made, hold_empty)
        await given.discovery.start()
        async with asyncio.timeout(5):
            await given.registration.start()
        try:
            yield given
        finally:
            await given.registration.stop()
            await given.discovery.stop()


async def test_a_registry_that_is_absent_keeps_nobody_from_starting(absent: Consul) -> None:
    async with shop(absent) as given:
        await given.registration.check()
        assert given.registration.note
        assert given.found == ()
        await asyncio.to_thread(absent.start)

        # Others may find us before we have heard that we are registered.
        took = await eventually(lambda: given.found == (A,) and not given.registration.note)
        LOG.info("absent: registered and found %.1f s after it answers", took)
        await given.discovery.check()


async def test_an_instance_is_found_and_after_its_stop_no_more(consul: Consul) -> None:
    async with shop(consul, hold_empty=timedelta()) as given:
        await eventually(lambda: given.found == (A,))
        await given.registration.leave()
        await eventually(lambda: given.found == (), within=5)


async def test_an_instance_that_died_is_found_no_more_after_its_ttl(consul: Consul) -> None:
    async with shop(consul) as given, client(consul) as made:
        dead = Instance(id="shop-z", service="shop", address="127.0.0.1", ports={"grpc": 1})
        await ConsulRegistrar(made, RegistrationSettings(ttl=5 * SECOND)).register(dead)
        await eventually(lambda: given.found == (A, dead))

        await eventually(lambda: given.found == (A,))


async def test_what_is_known_survives_that_consul_is_killed(consul: Consul) -> None:
    async with shop(consul) as given:
        await eventually(lambda: given.found == (A,))
        consul.kill()
        noticed = await eventually(lambda: bool(given.discovery.note))
        stale = given.sample("registry_stale_reads_total")
        assert given.found == (A,)
        assert given.sample("registry_stale_reads_total") == stale + 1
        await given.discovery.check()
        await asyncio.to_thread(consul.start)

        well = await eventually(lambda: given.discovery.note == "")
        LOG.info("killed: noticed in %.1f s; followed again after %.1f s", noticed, well)
        assert given.found == (A,)


async def test_a_consul_that_lost_its_state_is_told_again_and_nobody_notices(
    consul: Consul,
) -> None:
    async with shop(consul) as given:
        await eventually(lambda: given.found == (A,))
        lowest: list[float] = []

        async def look() -> None:
            while True:
                lowest.append(given.sample("registry_instances"))
                await asyncio.sleep(0.02)

        looking = asyncio.create_task(look())
        lose_state(consul)
        await asyncio.to_thread(consul.start)
        async with client(consul) as fresh:
            async with asyncio.timeout(SOON):
                while not (await fresh.healthy("shop")).value:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.05)
        await eventually(lambda: given.discovery.note == "")
        looking.cancel()

        assert given.found == (A,)
        assert min(lowest) == 1


async def test_what_is_known_survives_that_consul_freezes(consul: Consul) -> None:
    async with shop(consul) as given:
        await eventually(lambda: given.found == (A,))
        consul.freeze()
        noticed = await eventually(lambda: bool(given.discovery.note), within=10)
        assert given.found == (A,)
        consul.thaw()

        well = await eventually(lambda: given.discovery.note == "")
        LOG.info("frozen: noticed in %.1f s; followed again after %.1f s", noticed, well)
        await eventually(lambda: given.found == (A,))


async def test_a_stop_while_consul_is_frozen_takes_no_longer_than_one_timeout(
    consul: Consul,
) -> None:
    async with shop(consul) as given:
        consul.freeze()
        async with asyncio.timeout(5):
            await given.registration.stop()
