"""What tracing does to calls while its collector is absent, killed or frozen: nothing.

Runs against a collector of our own as a process of its own, and against Jaeger. Calls go through
the chain without pause, all of them recorded. What must hold: they take no longer than with a
collector that is well, every span is counted as sent or lost, what waits is bounded, and spans
arrive again when the collector is back, without a restart.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import time
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
from prometheus_client import CollectorRegistry

from pkg.log import Identity
from pkg.middleware import tracing
from pkg.rpc import Call, Operation, compose
from pkg.trace import TraceSettings, Tracing
from scripts.servers.jaeger import Jaeger
from scripts.servers.ports import free_port
from tests.contract import otlp
from tests.contract.servers import address
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pkg.rpc import Handler

LOG = logging.getLogger(__name__)
SERVICE = "lab"
QUEUE = 64
SLOW = 0.05
"""Seconds: more than the chain takes, less than any wait for a collector."""
SETTINGS: Any = {
    "queue": QUEUE,
    "batch": 16,
    "interval": timedelta(milliseconds=10),
    "timeout": timedelta(milliseconds=300),
    "flush_timeout": timedelta(milliseconds=500),
}
LOST = ("queue_full", "export_failed", "stopped")


class Breakable(Protocol):
    """A collector that can be broken and brought back."""

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def endpoint(self, protocol: str) -> str: ...
    def received(self, name: str) -> bool:
        """Has a span of this name come?"""
        ...


class OwnProcess:
    """The collector of the contract suite."""

    def __init__(self, directory: Path) -> None:
        self._ports = {"grpc": free_port(), "http": free_port()}
        self._journal = directory / "journal"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program, ports = otlp.__file__, self._ports
        self._process = subprocess.Popen(
            [sys.executable, program, str(ports["grpc"]), str(ports["http"]), str(self._journal)],
            env={"PYTHONPATH": ":".join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def endpoint(self, protocol: str) -> str:
        return f"http://127.0.0.1:{self._ports[protocol]}"

    def received(self, name: str) -> bool:
        return name in self.journal()

    def journal(self) -> list[str]:
        return self._journal.read_text().splitlines() if self._journal.exists() else []

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class PrivateJaeger:
    """A Jaeger of the test's own."""

    def __init__(self, directory: Path) -> None:
        self._server = Jaeger(directory)
        self.start, self.kill = self._server.start, self._server.kill
        self.freeze, self.thaw = self._server.freeze, self._server.thaw

    def endpoint(self, protocol: str) -> str:
        return self._server.environment()[f"TEST_OTLP_{protocol.upper()}_URL"]

    def received(self, name: str) -> bool:
        query = self._server.environment()["TEST_JAEGER_URL"]
        asked = {"service": SERVICE, "operation": name}
        with httpx.Client(base_url=query, trust_env=False, timeout=15) as client:
            return bool(client.get("/api/traces", params=asked).json()["data"])


@pytest.fixture(params=["own", pytest.param("jaeger", marks=pytest.mark.integration)])
def collector(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Breakable]:
    """Not started; ended after the test, whatever state it is in."""
    if request.param == "jaeger":
        address("TEST_JAEGER_URL")  # where the shared one runs, a private one can be started
    made = PrivateJaeger(tmp_path) if request.param == "jaeger" else OwnProcess(tmp_path)
    yield made
    made.kill()


@pytest.fixture(params=["grpc", "http"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Service:
    """A chain that records every call."""

    def __init__(self, collector: Breakable, protocol: str) -> None:
        self.registry = CollectorRegistry()
        self.made = 0
        self.took: list[float] = []
        self.most_waiting = 0.0
        self.again = 0.0
        """Seconds that `arrives` took when it was last asked."""
        settings = TraceSettings(
            endpoint=collector.endpoint(protocol), protocol=protocol, **SETTINGS
        )
        self.tracing = Tracing(settings, Identity(SERVICE, "1", "test"), self.registry)
        self._chains: dict[str, Handler] = {}

    async def call(self, name: str = "lab.v1.Lab/Do") -> None:
        """One call, timed."""
        if name not in self._chains:
            outer = tracing(self.tracing, registry().catalogue)
            self._chains[name] = compose((outer,), answer, Operation(name))
        call = Call("http", Operation(name), {}, "", "en", uuid.uuid4().hex)
        began = time.perf_counter()
        await self._chains[name](call, None)
        self.took.append(time.perf_counter() - began)
        self.made += 1

    async def calls(self, count: int) -> None:
        """So many, without a breath."""
        for _ in range(count):
            await self.call()

    async def load(self, seconds: float) -> None:
        """Calls, one after the other, with a breath after every ten."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.calls(10)
            await asyncio.sleep(0.005)
            self.most_waiting = max(self.most_waiting, self.count("waiting"))

    async def arrives(self, collector: Breakable) -> None:
        """Call until a span is received that was made after this was asked."""
        name = f"again/{uuid.uuid4().hex}"
        began = time.monotonic()
        deadline = began + 20
        while not await asyncio.to_thread(collector.received, name):
            assert time.monotonic() < deadline, "spans do not arrive again"
            await self.call(name)
            await asyncio.sleep(0.05)
        self.again = time.monotonic() - began

    def count(self, name: str, **labels: str) -> float:
        found = self.registry.get_sample_value(f"trace_spans_{name}", labels)
        assert found is not None
        return found

    @property
    def slow(self) -> float:
        """What 99 of 100 calls took at most, in seconds, since this was last asked."""
        took, self.took = sorted(self.took), []
        return took[len(took) * 99 // 100]

    @property
    def exported(self) -> float:
        return self.count("exported_total")

    @property
    def lost(self) -> float:
        return sum(self.count("dropped_total", reason=reason) for reason in LOST)


async def answer(_call: Call, _payload: object) -> None:
    """The service behind the chain."""


@asynccontextmanager
async def serving(collector: Breakable, protocol: str) -> AsyncIterator[Service]:
    service = Service(collector, protocol)
    await service.tracing.start()
    try:
        yield service
    finally:
        began = time.monotonic()
        await service.tracing.stop()
        assert time.monotonic() - began < 5, "the stop has waited for the collector"
    LOG.info(
        "%d calls: %d sent, %d lost; at most %d waiting; the last came again after %.1f s",
        *(service.made, service.exported, service.lost, service.most_waiting, service.again),
    )
    async with asyncio.timeout(10):  # a request that was under way may end after the stop
        while service.count("waiting"):  # noqa: ASYNC110 - metrics tell no event
            await asyncio.sleep(0.01)
    assert service.made == service.exported + service.lost
    assert service.most_waiting <= QUEUE


async def usual(service: Service) -> float:
    """What a call may take: twice what it takes while all is well."""
    await service.load(0.5)
    return max(SLOW, 2 * service.slow)


async def test_absent_at_the_start_and_then_there(collector: Breakable, protocol: str) -> None:
    async with serving(collector, protocol) as service:
        await service.load(1.0)
        assert service.exported == 0
        assert service.slow < SLOW

        await asyncio.to_thread(collector.start)
        await service.arrives(collector)
        assert service.exported > 0


async def test_killed_under_load_and_brought_back(collector: Breakable, protocol: str) -> None:
    collector.start()
    async with serving(collector, protocol) as service:
        bound = await usual(service)
        loading = asyncio.create_task(service.load(3.0))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(collector.kill)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(collector.start)
        await loading
        assert service.slow < bound
        assert service.lost > 0

        await service.arrives(collector)
    if isinstance(collector, OwnProcess):
        # What was acknowledged has come; what was not may have come all the same.
        assert len(collector.journal()) >= service.exported


async def test_frozen_and_thawed(collector: Breakable, protocol: str) -> None:
    collector.start()
    async with serving(collector, protocol) as service:
        bound = await usual(service)
        collector.freeze()
        await service.calls(4 * QUEUE)  # faster than exports can time out
        await service.load(1.0)
        assert service.slow < bound
        assert service.count("dropped_total", reason="queue_full") > 0

        collector.thaw()
        await service.arrives(collector)


async def test_frozen_while_the_process_stops(collector: Breakable, protocol: str) -> None:
    collector.start()
    async with serving(collector, protocol) as service:
        await service.arrives(collector)
        collector.freeze()
        await service.load(0.2)
    collector.thaw()
