"""The four shapes of a call through a whole chain: each is one call to it, however much it streams.

What HTTP has are one reply and many; streams of requests are gRPC's alone.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from api.lab.v1 import Glance, Task
from api.lab.v1.service import ChainServiceClient, chain_service
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.grpc import GrpcChannel, GrpcSettings, Mounted
from pkg.grpc.serving import serving
from pkg.log import LoggedLines
from pkg.middleware import CallMetrics, authentication, deadline, log, metrics, request_id
from pkg.middleware.outcome import reason_of
from pkg.tokens import FakeTokens
from tests.unit.pkg.chain.transports import (
    Callers,
    ChainLab,
    Transport,
    every_transport,
    signed_in,
    whole,
)
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.rpc import Call, Handler, Middleware, Operation

ALICE = signed_in("alice")
SOON = timedelta(seconds=5)
_LOG = logging.getLogger(__name__)


class Chain:
    """Everything that a stream may be confused by, and what it counted."""

    def __init__(self, stream: timedelta | None = None) -> None:
        self.series = CollectorRegistry()
        self.middlewares: tuple[Middleware, ...] = (
            request_id(FakeTokens()),
            metrics(CallMetrics(self.series), SystemClock()),
            log(LoggedLines(_LOG), SystemClock()),
            deadline(timedelta(seconds=10), stream),
            authentication(Callers()),
        )

    def count(self, transport: str, method: str, reason: str) -> float | None:
        labels = {
            "transport": transport,
            "operation": f"lab.v1.ChainService/{method}",
            "reason": reason,
        }
        return self.series.get_sample_value("rpc_calls_total", labels)


@every_transport
async def test_many_replies_are_one_call_of_the_chain(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, _LOG.name)
    chain = Chain()
    async with transport.serving(*chain.middlewares) as lab:
        outcome = await lab.watch(Glance(name="a", count=3), headers=ALICE)
    assert outcome.reason == "OK"
    assert [each.times for each in outcome.replies] == [1, 2, 3]
    assert "x-request-id" in outcome.headers
    assert lab.service.calls[0].caller.subject == "alice"
    assert chain.count(transport.kind, "Watch", "OK") == 1
    lines = [each for each in caplog.records if each.name == _LOG.name]
    assert [each.getMessage() for each in lines] == ["lab.v1.ChainService/Watch OK"]


@every_transport
async def test_a_stream_is_refused_by_the_chain_as_any_other_call(transport: Transport) -> None:
    chain = Chain()
    async with transport.serving(*chain.middlewares) as lab:
        stranger = await lab.watch(Glance(name="a", count=3))
        wrong = await lab.watch(Glance(name="a" * 21, count=3), headers=ALICE)
    assert (stranger.reason, stranger.replies) == ("UNAUTHENTICATED", [])
    assert (wrong.reason, wrong.replies) == ("INVALID_ARGUMENT", [])
    assert list(wrong.violations) == ["name"]
    assert chain.count(transport.kind, "Watch", "UNAUTHENTICATED") == 1
    assert lab.service.calls == []


@every_transport
@pytest.mark.parametrize("error", [Fault("OVERLOADED"), LookupError("secret")])
async def test_a_stream_may_break_off(transport: Transport, error: Exception) -> None:
    chain = Chain()
    reason = error.reason if isinstance(error, Fault) else "INTERNAL"
    async with transport.serving(*chain.middlewares) as lab:
        lab.service.error = error
        begun = await lab.watch(Glance(name="a", count=2), headers=ALICE)
        never = await lab.watch(Glance(name="a", count=0), headers=ALICE)
    assert (begun.reason, [each.times for each in begun.replies]) == (reason, [1, 2])
    assert (never.reason, never.replies) == (reason, [])
    assert "secret" not in str(begun)


@every_transport
async def test_a_stream_has_a_deadline_where_streams_have_one(transport: Transport) -> None:
    chain = Chain(stream=timedelta(seconds=1))
    async with transport.serving(*chain.middlewares) as lab:
        lab.service.hold()
        outcome = await lab.watch(Glance(name="a", count=1), headers=ALICE)
    assert (outcome.reason, len(outcome.replies)) == ("DEADLINE_EXCEEDED", 1)
    assert chain.count(transport.kind, "Watch", "DEADLINE_EXCEEDED") == 1


@asynccontextmanager
async def client(chain: Chain) -> AsyncIterator[tuple[ChainServiceClient, ChainLab]]:
    """The generated client, over a connection."""
    service = ChainLab()
    mounted = Mounted(whole(chain.middlewares), [chain_service(service)])
    settings = GrpcSettings(host="127.0.0.1", port=0)
    async with (
        serving(registry(), mounted, settings, FakeTokens(), _LOG) as running,
        GrpcChannel(f"127.0.0.1:{running.port}", registry()) as channel,
    ):
        yield ChainServiceClient(channel), service


async def tasks(*names: str) -> AsyncIterator[Task]:
    for name in names:
        yield Task(name=name)


async def test_all_four_shapes_on_grpc() -> None:
    chain = Chain()
    async with client(chain) as (lab, service):
        assert (await lab.open(Task(name="a"), timeout=SOON)).name == "a"
        watched = lab.watch(Glance(name="b", count=2), headers=ALICE, timeout=SOON)
        assert [each.times async for each in watched] == [1, 2]
        gathered = await lab.gather(tasks("c", "d"), headers=ALICE, timeout=SOON)
        assert gathered.name == "c d"
        talked = lab.talk(tasks("e", "f"), headers=ALICE, timeout=SOON)
        assert [each.name async for each in talked] == ["e", "f"]
    assert service.times == 4
    for method in ("Open", "Watch", "Gather", "Talk"):
        assert chain.count("grpc", method, "OK") == 1


async def test_streams_of_requests_are_refused_by_the_chain() -> None:
    async with client(Chain()) as (lab, service):
        with pytest.raises(Fault, match="UNAUTHENTICATED"):
            await lab.gather(tasks("a"), timeout=SOON)
        with pytest.raises(Fault, match="UNAUTHENTICATED"):
            await anext(lab.talk(tasks("a"), timeout=SOON))
        assert service.calls == []


async def test_a_bad_request_ends_a_stream_of_them() -> None:
    chain = Chain()
    async with client(chain) as (lab, _):
        with pytest.raises(Fault, match="INVALID_ARGUMENT"):
            await lab.gather(tasks("a", "a" * 21), headers=ALICE, timeout=SOON)
        talked: Any = lab.talk(tasks("a", "a" * 21), headers=ALICE, timeout=SOON)
        assert (await anext(talked)).name == "a"
        with pytest.raises(Fault, match="INVALID_ARGUMENT"):
            await anext(talked)
    assert chain.count("grpc", "Gather", "INVALID_ARGUMENT") == 1
    assert chain.count("grpc", "Talk", "INVALID_ARGUMENT") == 1


class Ends:
    """A middleware that keeps how calls end."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.some = asyncio.Event()

    def __call__(self, handler: Handler, _operation: Operation, /) -> Handler:
        async def run(call: Call, payload: Any) -> Any:
            error: BaseException | None = None
            try:
                return await handler(call, payload)
            except BaseException as raised:
                error = raised
                raise
            finally:
                self.seen.append(reason_of(error))
                self.some.set()

        return run


async def test_a_caller_that_leaves_a_conversation_ends_the_call() -> None:
    chain, ends = Chain(), Ends()
    chain.middlewares = (ends, *chain.middlewares)

    async def endless() -> AsyncIterator[Task]:
        yield Task(name="a")
        await asyncio.Event().wait()

    async with client(chain) as (lab, _):
        talked: Any = lab.talk(endless(), headers=ALICE, timeout=SOON)
        assert (await anext(talked)).name == "a"
        await talked.aclose()
        async with asyncio.timeout(SOON.total_seconds()):
            await ends.some.wait()
    assert ends.seen == ["CANCELLED"]
