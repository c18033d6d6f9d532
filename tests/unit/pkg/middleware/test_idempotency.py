"""What becomes of a call with a key: what is kept, what sets the key free, what a crash leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from api.lab.v1 import Done, Task
from pkg.clock import FakeClock
from pkg.errors import Fault, Violation
from pkg.idempotency import (
    HEADER,
    REPLAYED,
    IdempotencyMetrics,
    IdempotencySettings,
    NotKeptError,
    WhenAway,
)
from pkg.middleware.idempotency import idempotency
from pkg.proto.options import Idempotency
from pkg.tokens import FakeTokens
from tests.unit.pkg.idempotency.failing import FailingStore
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.middleware.calls import PRINCIPAL, call

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pkg.rpc import Call, Handler, Operation

KEYED, REQUIRED = (
    registry().operations("lab.v1.ChainService")[name] for name in ("Keyed", "MustBeKeyed")
)
TASK = Task(name="a", password="p", count=2)
SOON = 30.0


class Service:
    """Answers with how often it was called; or waits, or raises, as it is told."""

    def __init__(self) -> None:
        self.times = 0
        self.error: BaseException | None = None
        self.headers: list[tuple[str, str]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.entered = asyncio.Event()
        self.reply: Any = None

    async def __call__(self, call: Call, message: Any) -> Any:
        self.times += 1
        self.entered.set()
        await self.go_on.wait()
        call.reply_headers += self.headers
        if self.error is not None:
            raise self.error
        return self.reply or Done(name=message.name, times=self.times)


class Lab:
    """One operation behind the middleware; several are processes that share a store."""

    def __init__(
        self,
        operation: Operation = KEYED,
        *,
        store: FailingStore | None = None,
        seed: str = "",
        **settings: Any,
    ) -> None:
        self.clock = FakeClock()
        self.store = store or FailingStore(self.clock)
        self.service = Service()
        self.metrics = CollectorRegistry()
        self.operation = operation
        self.handler: Handler = idempotency(
            self.store,
            registry(),
            IdempotencySettings(**settings),
            clock=self.clock,
            tokens=FakeTokens(seed),
            metrics=IdempotencyMetrics(self.metrics),
        )(self.service, operation)
        self.last: Call | None = None

    def send(self, key: str | None = "k", task: Task = TASK, **changes: Any) -> Awaitable[Any]:
        headers = {} if key is None else {HEADER: key}
        facts = {"headers": headers, "principal": PRINCIPAL, **changes}
        self.last = call(self.operation, **facts)
        return self.handler(self.last, task)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Of the last reply."""
        assert self.last is not None
        return self.last.reply_headers

    def count(self, name: str, **labels: str) -> float:
        told = {"operation": self.operation.name, **labels}
        return self.metrics.get_sample_value(f"{name}_total", told) or 0.0


def test_an_operation_that_declares_none_is_left_alone() -> None:
    service = Service()
    plain = replace(KEYED, idempotency=Idempotency.NONE)
    middleware = idempotency(
        FailingStore(FakeClock()),
        registry(),
        IdempotencySettings(),
        clock=FakeClock(),
        tokens=FakeTokens(),
    )
    assert middleware(service, plain) is service


async def test_the_reply_is_given_again_with_the_headers_of_its_handler() -> None:
    lab = Lab()
    lab.service.headers = [("x-made", "once"), ("x-made", "twice")]
    first = await lab.send(reply_headers=[("x-request-id", "1")])
    assert lab.headers == [("x-request-id", "1"), *lab.service.headers]

    again = await lab.send(reply_headers=[("x-request-id", "2")])

    assert again == first == Done(name="a", times=1)
    assert lab.headers == [("x-request-id", "2"), *lab.service.headers, REPLAYED]
    assert lab.service.times == 1
    assert lab.count("idempotency_calls", result="served") == 1
    assert lab.count("idempotency_calls", result="replayed") == 1


async def test_a_fault_of_the_callers_is_given_again_whole() -> None:
    lab = Lab()
    lab.service.error = Fault(
        "INVALID_ARGUMENT",
        "no such thing",
        violations=(Violation("name", "rule", "must be there", {"min": "3"}),),
        metadata={"hint": "b"},
    )
    lab.service.headers = [("x-made", "once")]
    faults = []
    for _ in range(2):
        with pytest.raises(Fault) as found:
            await lab.send()
        faults.append(found.value)

    assert lab.service.times == 1
    assert lab.headers == [("x-made", "once"), REPLAYED]
    first, again = faults
    assert first is not again
    for fact in ("reason", "detail", "violations", "metadata"):
        assert getattr(first, fact) == getattr(again, fact)


@pytest.mark.parametrize(
    "error",
    [
        Fault("INTERNAL"),
        Fault("UNAVAILABLE"),
        Fault("DEADLINE_EXCEEDED"),
        Fault("OVERLOADED"),
        Fault("TOO_MANY_REQUESTS"),
        Fault("PERMISSION_DENIED", metadata={"retry_after": "3"}),
        Fault("NO_SUCH_REASON"),
        RuntimeError("a defect"),
    ],
    ids=str,
)
async def test_after_any_other_failure_the_key_is_free_again(error: Exception) -> None:
    lab = Lab()
    lab.service.error = error
    for _ in range(2):
        with pytest.raises(type(error)) as found:
            await lab.send()
        assert found.value is error

    lab.service.error = None
    assert (await lab.send()).times == 3


async def test_a_reply_that_is_no_message_sets_the_key_free() -> None:
    lab = Lab()
    lab.service.reply = object()
    with pytest.raises(AttributeError):
        await lab.send()

    lab.service.reply = None
    assert (await lab.send()).times == 2


async def test_a_call_that_is_cancelled_sets_the_key_free() -> None:
    lab = Lab()
    lab.service.go_on.clear()
    running = asyncio.ensure_future(lab.send())
    await lab.service.entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    lab.service.go_on.set()
    assert (await lab.send()).times == 2


async def test_who_leaves_while_the_key_is_taken_does_not_keep_it() -> None:
    lab = Lab()
    lab.store.hangs = "begin"
    running = asyncio.ensure_future(lab.send())
    await lab.store.hung.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert lab.service.times == 0
    assert (await lab.send()).times == 1


async def test_who_leaves_when_it_is_done_finds_the_result_later() -> None:
    lab = Lab()
    lab.store.hangs = "finish"
    running = asyncio.ensure_future(lab.send())
    await lab.store.hung.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (await lab.send()).times == 1
    assert lab.service.times == 1


async def test_of_twenty_at_once_one_is_served() -> None:
    lab = Lab()
    lab.service.go_on.clear()
    running = [asyncio.ensure_future(lab.send()) for _ in range(20)]
    await lab.service.entered.wait()
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    refused = [each for each in running if each.done()]
    lab.service.go_on.set()
    outcomes = await asyncio.gather(*running, return_exceptions=True)

    assert lab.service.times == 1
    assert len(refused) == 19
    assert {str(each.exception()) for each in refused} == {"IDEMPOTENCY_IN_PROGRESS"}
    assert [each for each in outcomes if not isinstance(each, Fault)] == [Done(name="a", times=1)]
    assert lab.count("idempotency_calls", result="in_progress") == 19


async def test_who_comes_too_early_is_told_when_to_come_again() -> None:
    lab = Lab()
    lab.service.go_on.clear()
    running = asyncio.ensure_future(lab.send())
    await lab.service.entered.wait()
    with pytest.raises(Fault, match="IDEMPOTENCY_IN_PROGRESS") as found:
        await lab.send()
    assert found.value.metadata == {"retry_after": "1"}
    lab.service.go_on.set()
    await running


@pytest.mark.parametrize("changed", [Task(name="b", count=2), Task(name="a", count=3), Task()])
async def test_a_key_is_for_one_request(changed: Task) -> None:
    lab = Lab()
    await lab.send()
    with pytest.raises(Fault, match="IDEMPOTENCY_KEY_REUSED"):
        await lab.send(task=changed)
    assert lab.service.times == 1
    assert lab.count("idempotency_calls", result="reused") == 1


async def test_a_key_is_one_operations_and_one_callers() -> None:
    store = FailingStore(FakeClock())
    keyed, required = Lab(store=store), Lab(REQUIRED, store=store, seed="another")
    assert (await keyed.send()).times == 1
    assert (await required.send()).times == 1
    assert (await keyed.send(principal=replace(PRINCIPAL, subject="u2"))).times == 2
    assert (await keyed.send(principal=None)).times == 3
    assert (await keyed.send(principal=None)).times == 3
    assert (await keyed.send(principal=replace(PRINCIPAL, session="another"))).times == 1


async def test_without_a_key_an_optional_one_costs_nothing_and_a_required_one_is_demanded() -> None:
    lab = Lab()
    assert [(await lab.send(None)).times for _ in range(2)] == [1, 2]
    assert lab.store.asked == []

    lab = Lab(REQUIRED)
    with pytest.raises(Fault, match="IDEMPOTENCY_KEY_MISSING"):
        await lab.send(None)


@pytest.mark.parametrize("operation", [KEYED, REQUIRED], ids=["optional", "required"])
async def test_a_malformed_key_is_refused(operation: Operation) -> None:
    lab = Lab(operation)
    with pytest.raises(Fault, match="IDEMPOTENCY_KEY_MISSING"):
        await lab.send("two words")
    assert lab.service.times == 0
    assert lab.count("idempotency_calls", result="no_key") == 1


async def test_another_process_gives_the_same_result() -> None:
    store = FailingStore(FakeClock())
    first, second = Lab(store=store), Lab(store=store, seed="another")
    await first.send()

    assert (await second.send()).times == 1
    assert second.service.times == 0


async def test_the_key_is_taken_until_the_deadline_and_a_little_longer() -> None:
    lab = Lab(grace=timedelta(seconds=7), longest_call=timedelta(minutes=2))
    now = asyncio.get_running_loop().time()
    await lab.send("a", deadline=now + 20)
    await lab.send("b")

    seconds = [lease.total_seconds() for lease in lab.store.leases]
    assert seconds == [pytest.approx(27, abs=5), pytest.approx(127, abs=5)]


async def test_a_call_without_a_deadline_gets_one() -> None:
    lab = Lab(longest_call=timedelta(milliseconds=10))
    lab.service.go_on.clear()
    async with asyncio.timeout(SOON):
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await lab.send()

    lab.service.go_on.set()
    assert (await lab.send()).times == 2


async def test_when_the_store_is_away_nothing_is_served_by_default() -> None:
    for operation in (KEYED, REQUIRED):
        lab = Lab(operation)
        lab.store.away = True
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await lab.send()
        assert lab.service.times == 0
        assert lab.count("idempotency_calls", result="away") == 1


async def test_when_the_store_is_away_an_optional_key_may_be_passed_over() -> None:
    lab = Lab(when_away=WhenAway.SERVE)
    lab.store.away = True
    assert [(await lab.send()).times for _ in range(2)] == [1, 2]
    assert lab.headers == []

    lab = Lab(REQUIRED, when_away=WhenAway.SERVE)
    lab.store.away = True
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await lab.send()


async def test_a_result_that_the_store_cannot_be_told_is_given_once() -> None:
    lab = Lab()
    lab.service.go_on.clear()
    running = asyncio.ensure_future(lab.send())
    await lab.service.entered.wait()
    lab.store.away = True
    lab.service.go_on.set()
    assert (await running).times == 1
    assert lab.count("idempotency_not_kept", reason="away") == 1

    lab.store.away = False
    lab.clock.advance(timedelta(seconds=2))
    with pytest.raises(Fault, match="IDEMPOTENCY_IN_PROGRESS"):  # until the lease is over
        await lab.send()
    lab.clock.advance(timedelta(minutes=2))
    assert (await lab.send()).times == 2


async def test_a_result_of_one_who_was_overtaken_is_not_kept() -> None:
    clock = FakeClock()
    store = FailingStore(clock)
    slow, other = Lab(store=store), Lab(store=store, seed="another")
    slow.service.go_on.clear()
    running = asyncio.ensure_future(slow.send())
    await slow.service.entered.wait()
    clock.advance(timedelta(minutes=2))
    other.service.times = 10
    assert (await other.send()).times == 11
    slow.service.go_on.set()

    assert (await running).times == 1
    assert slow.count("idempotency_not_kept", reason="overtaken") == 1
    assert (await other.send()).times == 11


async def test_what_is_too_large_to_be_kept_is_not_served_twice() -> None:
    lab = Lab(max_result="100B")
    lab.service.reply = Done(name="x" * 100)
    assert await lab.send() == lab.service.reply
    assert lab.count("idempotency_not_kept", reason="too_large") == 1
    for _ in range(2):
        with pytest.raises(NotKeptError, match="larger than 100"):
            await lab.send()
    assert lab.service.times == 1


async def test_what_another_version_kept_and_this_cannot_read_is_not_served_twice() -> None:
    for strange in (b"?", b"", b"r\0\0", b"r\0\0\0\0\xff", b"f\0\0\0\0{}", b"r\0\0\0\x09[]"):
        lab = Lab()
        await lab.send()
        lab.store.give(strange)
        with pytest.raises(NotKeptError):
            await lab.send()
        assert lab.service.times == 1
