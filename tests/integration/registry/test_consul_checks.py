"""A real Consul asks the instances itself, over HTTP and gRPC, and believes what they say."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pkg.backoff import Backoff, BackoffSettings
from pkg.consul import ConsulSettings
from pkg.consul.client import ConsulClient
from pkg.registry import Instance, RegistrationSettings
from pkg.registry.consul import ConsulRegistrar
from pkg.registry.consul_discovery import ConsulDiscovery
from tests.contract.servers import address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.integration

SECOND = timedelta(seconds=1)
SOON = 20.0
"""Seconds: Consul asks once per second."""


class Probe:
    """What an instance answers when it is asked for its health, over both protocols."""

    def __init__(self) -> None:
        self.ready = True
        self.asked: list[bytes] = []
        self._health = health.aio.HealthServicer()

    async def set(self, *, ready: bool) -> None:
        self.ready = ready
        status = health_pb2.HealthCheckResponse.ServingStatus
        await self._health.set("", status.SERVING if ready else status.NOT_SERVING)

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n")).split()[1])
        await reader.readuntil(b"\r\n\r\n")
        status = b"200 OK" if self.ready else b"503 Service Unavailable"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[dict[str, int]]:
        """Listen; gives the ports."""
        web = await asyncio.start_server(self.http, "127.0.0.1", 0)
        server: Any = grpc.aio.server()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield {"admin": web.sockets[0].getsockname()[1], "grpc": port}
        finally:
            await server.stop(None)
            web.close()
            await web.wait_closed()


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110 - a real server tells when it is asked
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("check", ["http", "grpc"])
async def test_an_instance_is_found_while_it_says_that_it_is_well(check: Any) -> None:
    service = f"shop-{uuid.uuid4().hex}"
    probe = Probe()
    await probe.set(ready=True)
    async with (
        ConsulClient(ConsulSettings(url=address("TEST_CONSUL_URL"))) as client,
        probe.serving() as ports,
    ):
        us = Instance(id=service, service=service, address="127.0.0.1", ports=ports)
        registrar = ConsulRegistrar(client, RegistrationSettings(checks=(check,), interval=SECOND))
        discovery = ConsulDiscovery(
            client,
            [service],
            backoff=Backoff(BackoffSettings(), lambda: 0.0),
            hold_empty=0 * SECOND,
        )
        await discovery.start()
        try:
            await registrar.register(us)
            await eventually(lambda: discovery.snapshot(service) == (us,))
            await probe.set(ready=False)
            await eventually(lambda: discovery.snapshot(service) == ())
            await probe.set(ready=True)
            await eventually(lambda: discovery.snapshot(service) == (us,))
            await registrar.renew(us, ready=True)
        finally:
            await registrar.deregister(us)
            await discovery.stop()
    assert set(probe.asked) == ({b"/readyz"} if check == "http" else set())
