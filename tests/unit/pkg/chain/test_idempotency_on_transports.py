"""Idempotency keys, as clients of both transports see them; with keys in memory and in Valkey."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api.lab.v1 import Done, Task
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.idempotency import (
    IdempotencySettings,
    IdempotencyStore,
    MemoryIdempotencyStore,
)
from pkg.idempotency.redis import RedisIdempotencyStore
from pkg.middleware import authentication, deadline, request_id
from pkg.middleware.idempotency import idempotency
from pkg.redis import RedisSettings, open_redis
from pkg.tokens import FakeTokens, SystemTokens
from tests.unit.pkg.chain.behind import behind_validation
from tests.unit.pkg.chain.transports import Callers, Transport, every_transport, signed_in
from tests.unit.pkg.chain.valkey import valkey
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from pkg.rpc import Middleware
    from tests.unit.pkg.chain.transports import Served

TASK = Task(name="a", count=2)
KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
REPLAYED = "idempotent-replayed"
LIMIT = timedelta(seconds=30)


@pytest.fixture
def store() -> IdempotencyStore:
    return MemoryIdempotencyStore(SystemClock())


def chain(store: IdempotencyStore, limit: timedelta = LIMIT) -> tuple[Middleware, ...]:
    once = idempotency(
        store, registry(), IdempotencySettings(), clock=SystemClock(), tokens=SystemTokens()
    )
    return (
        request_id(FakeTokens()),
        deadline(limit),
        authentication(Callers()),
        behind_validation(once),
    )


def served(
    transport: Transport, store: IdempotencyStore, limit: timedelta = LIMIT
) -> AbstractAsyncContextManager[Served]:
    return transport.serving(*chain(store, limit))


def keyed(key: str = KEY, subject: str = "alice") -> dict[str, str]:
    return {"idempotency-key": key, **signed_in(subject)}


@every_transport
async def test_the_same_call_gets_the_same_reply(
    transport: Transport, store: IdempotencyStore
) -> None:
    async with served(transport, store) as lab:
        first = await lab.call("Keyed", TASK, headers=keyed())
        again = await lab.call("Keyed", TASK, headers=keyed(KEY.strip('"')))

        assert (first.reason, again.reason) == ("OK", "OK")
        assert again.reply == first.reply == Done(name="a", times=1, token="secret-1")
        assert REPLAYED not in first.headers
        assert again.headers[REPLAYED] == "true"
        assert again.headers["x-request-id"] != first.headers["x-request-id"]
        assert lab.service.times == 1


@every_transport
async def test_the_same_refusal_is_given_again_in_the_callers_language(
    transport: Transport, store: IdempotencyStore
) -> None:
    async with served(transport, store) as lab:
        lab.service.error = Fault("PERMISSION_DENIED", "not on Sundays")
        first = await lab.call("Keyed", TASK, headers=keyed())
        lab.service.error = None
        again = await lab.call("Keyed", TASK, headers=keyed(), language="zh")

        assert (first.reason, again.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
        assert first.status == again.status
        assert first.text.endswith(": not on Sundays")
        assert again.text.endswith(": not on Sundays")
        assert again.text != first.text
        assert again.headers[REPLAYED] == "true"
        assert lab.service.times == 1


@every_transport
async def test_after_a_defect_the_key_is_free(
    transport: Transport, store: IdempotencyStore
) -> None:
    async with served(transport, store) as lab:
        lab.service.error = RuntimeError("broken")
        assert (await lab.call("Keyed", TASK, headers=keyed())).reason == "INTERNAL"
        lab.service.error = None
        assert (await lab.call("Keyed", TASK, headers=keyed())).reply.times == 2


@every_transport
async def test_after_the_deadline_the_key_is_free(
    transport: Transport, store: IdempotencyStore
) -> None:
    async with served(transport, store, timedelta(milliseconds=100)) as lab:
        lab.service.hold()
        assert (await lab.call("Keyed", TASK, headers=keyed())).reason == "DEADLINE_EXCEEDED"
        lab.service.go_on.set()
        assert (await lab.call("Keyed", TASK, headers=keyed())).reply.times == 2


@every_transport
async def test_a_key_of_another_request_and_one_in_use_are_refused(
    transport: Transport, store: IdempotencyStore
) -> None:
    async with served(transport, store) as lab:
        lab.service.hold()
        running = asyncio.ensure_future(lab.call("Keyed", TASK, headers=keyed()))
        await lab.service.entered.wait()
        busy = await lab.call("Keyed", TASK, headers=keyed())
        other = await lab.call("Keyed", Task(name="b"), headers=keyed())
        lab.service.go_on.set()
        assert (await running).reason == "OK"
        after = await lab.call("Keyed", Task(name="b"), headers=keyed())

        assert busy.reason == "IDEMPOTENCY_IN_PROGRESS"
        assert {other.reason, after.reason} == {"IDEMPOTENCY_KEY_REUSED"}
        if transport.kind == "http":
            assert (busy.status, other.status) == (409, 422)
            assert busy.headers["retry-after"] == "1"
        else:
            assert busy.details["RetryInfo"].retry_delay.seconds == 1


@every_transport
async def test_a_required_key_is_demanded_and_an_optional_one_is_not(
    transport: Transport, store: IdempotencyStore
) -> None:
    async with served(transport, store) as lab:
        without = signed_in("alice")
        assert (
            await lab.call("MustBeKeyed", TASK, headers=without)
        ).reason == "IDEMPOTENCY_KEY_MISSING"
        assert (
            await lab.call("MustBeKeyed", TASK, headers=keyed("two words"))
        ).reason == "IDEMPOTENCY_KEY_MISSING"
        assert (await lab.call("MustBeKeyed", TASK, headers=keyed())).reason == "OK"
        assert (await lab.call("Keyed", TASK, headers=without)).reply.times == 2
        assert (await lab.call("Keyed", TASK, headers=without)).reply.times == 3
        assert (await lab.call("Mine", TASK, headers=keyed())).reply.times == 4
        assert (await lab.call("Mine", TASK, headers=keyed())).reply.times == 5


@every_transport
async def test_a_key_is_its_callers_alone(transport: Transport, store: IdempotencyStore) -> None:
    async with served(transport, store) as lab:
        assert (await lab.call("Keyed", TASK, headers=keyed())).reply.times == 1
        assert (await lab.call("Keyed", TASK, headers=keyed(subject="bob"))).reply.times == 2
        refused = await lab.call("Keyed", TASK, headers=keyed(subject="nobody"))
        assert refused.reason == "UNAUTHENTICATED"


@every_transport
async def test_twenty_at_once_are_served_once_by_two_processes(
    transport: Transport, tmp_path: Path
) -> None:
    async with (
        valkey(tmp_path) as client,
        served(transport, RedisIdempotencyStore(client)) as one,
        served(transport, RedisIdempotencyStore(client)) as two,
    ):
        one.service.hold()
        two.service.hold()
        calls = [
            asyncio.ensure_future(each.call("MustBeKeyed", TASK, headers=keyed()))
            for each in (one, two) * 10
        ]
        waiting: set[asyncio.Future[Any]] = set(calls)
        async with asyncio.timeout(10):
            while len(waiting) > 1:
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        one.service.go_on.set()
        two.service.go_on.set()
        outcomes = [each.reason for each in await asyncio.gather(*calls)]
        again = [await each.call("MustBeKeyed", TASK, headers=keyed()) for each in (one, two)]

        assert one.service.times + two.service.times == 1
        assert sorted(outcomes) == [*["IDEMPOTENCY_IN_PROGRESS"] * 19, "OK"]
        assert [each.reply.times for each in again] == [1, 1]


@every_transport
async def test_without_its_server_no_call_with_a_key_is_served(
    transport: Transport, tmp_path: Path
) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    async with served(transport, RedisIdempotencyStore(client)) as lab:
        for method in ("Keyed", "MustBeKeyed"):
            assert (await lab.call(method, TASK, headers=keyed())).reason == "UNAVAILABLE"
        assert (await lab.call("Keyed", TASK, headers=signed_in("alice"))).reason == "OK"
        assert lab.service.times == 1
    await client.aclose()
