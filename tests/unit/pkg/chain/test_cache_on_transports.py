"""Cached replies, as clients of both transports see them; in memory and in Valkey."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api.lab.v1 import Done, Glance
from pkg.cache import CacheStore, MemoryCacheStore, RedisCacheStore
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.middleware import authentication, deadline, request_id
from pkg.middleware.cache import cache
from pkg.redis import RedisSettings, open_redis
from pkg.replies import HotReplyCache, ReplyCacheSettings
from pkg.tokens import FakeTokens, SystemTokens
from tests.unit.pkg.chain.behind import behind_validation
from tests.unit.pkg.chain.transports import Callers, Transport, every_transport, signed_in
from tests.unit.pkg.chain.valkey import valkey
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pkg.rpc import Principal
    from tests.unit.pkg.chain.transports import Served

GLANCE = Glance(name="a", count=2)
FOR_ME = "lab.v1.ChainService/KeptForMe"
ALICE, BOB = signed_in("alice"), signed_in("bob")
LIMIT = timedelta(seconds=30)


class Revocable(Callers):
    """Refuses who was revoked."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()

    async def authenticate(self, token: str) -> Principal:
        """The holder that the token names."""
        principal = await super().authenticate(token)
        if principal.subject in self.revoked:
            raise Fault("UNAUTHENTICATED")
        return principal


@asynccontextmanager
async def serving(
    transport: Transport, store: CacheStore | None = None, callers: Callers | None = None
) -> AsyncIterator[tuple[Served, HotReplyCache]]:
    """A process."""
    async with AsyncExitStack() as held:
        replies = await held.enter_async_context(
            HotReplyCache(
                store or MemoryCacheStore(SystemClock()),
                registry(),
                ReplyCacheSettings(),
                clock=SystemClock(),
                tokens=SystemTokens(),
                chance=lambda: 0.5,
            )
        )
        lab = await held.enter_async_context(
            transport.serving(
                request_id(FakeTokens()),
                deadline(LIMIT),
                authentication(callers or Callers()),
                behind_validation(cache(replies)),
            )
        )
        yield lab, replies


@every_transport
async def test_equal_calls_get_one_reply_and_ids_of_their_own(transport: Transport) -> None:
    async with serving(transport) as (lab, _):
        first = await lab.call("KeptForMe", GLANCE, headers=ALICE)
        again = await lab.call("KeptForMe", GLANCE, headers=ALICE)
        other = await lab.call("KeptForMe", Glance(name="b"), headers=ALICE)

        assert first.reply == again.reply == Done(name="a", times=1, token="secret-1")
        assert other.reply.times == 2
        assert first.headers["x-request-id"] != again.headers["x-request-id"]
        assert lab.service.times == 2


@every_transport
async def test_a_reply_is_for_who_may_have_it(transport: Transport) -> None:
    async with serving(transport) as (lab, _):
        for method, times in (("KeptForMe", [1, 2, 1]), ("KeptForAll", [3, 3, 3])):
            outcomes = [await lab.call(method, GLANCE, headers=who) for who in (ALICE, BOB, ALICE)]
            assert [each.reply.times for each in outcomes] == times
        assert (await lab.call("KeptForAll", GLANCE)).reply.times == 3
        assert (await lab.call("KeptForAll", GLANCE, language="zh")).reply.times == 4


@every_transport
async def test_who_was_revoked_is_refused_though_the_reply_is_known(transport: Transport) -> None:
    callers = Revocable()
    async with serving(transport, callers=callers) as (lab, _):
        assert (await lab.call("KeptForMe", GLANCE, headers=ALICE)).reason == "OK"
        callers.revoked.add("alice")
        assert (await lab.call("KeptForMe", GLANCE, headers=ALICE)).reason == "UNAUTHENTICATED"


@every_transport
async def test_no_caller_can_demand_a_new_reply(transport: Transport) -> None:
    async with serving(transport) as (lab, _):
        headers = {**ALICE, "cache-control": "no-cache", "pragma": "no-cache"}
        outcomes = [await lab.call("KeptForMe", GLANCE, headers=headers) for _ in range(2)]
        assert [each.reply.times for each in outcomes] == [1, 1]
        assert {"cache-control", "age"}.isdisjoint(outcomes[1].headers)


@every_transport
async def test_faults_are_not_kept(transport: Transport) -> None:
    async with serving(transport) as (lab, _):
        for error, reason in (
            (Fault("PERMISSION_DENIED"), "PERMISSION_DENIED"),
            (RuntimeError("broken"), "INTERNAL"),
        ):
            lab.service.error = error
            assert (await lab.call("KeptForMe", GLANCE, headers=ALICE)).reason == reason
        lab.service.error = None
        assert (await lab.call("KeptForMe", GLANCE, headers=ALICE)).reply.times == 3


@every_transport
async def test_twenty_at_once_are_served_once_by_two_processes(
    transport: Transport, tmp_path: Path
) -> None:
    async with (
        valkey(tmp_path) as client,
        serving(transport, RedisCacheStore(client)) as (one, _),
        serving(transport, RedisCacheStore(client)) as (two, _),
    ):
        one.service.hold()
        two.service.hold()
        calls: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(each.call("KeptForMe", GLANCE, headers=ALICE))
            for each in (one, two) * 10
        ]
        entered = [asyncio.ensure_future(each.service.entered.wait()) for each in (one, two)]
        await asyncio.wait(entered, return_when=asyncio.FIRST_COMPLETED)
        one.service.go_on.set()
        two.service.go_on.set()
        outcomes = await asyncio.gather(*calls)
        for each in entered:
            each.cancel()

        assert [each.reply.times for each in outcomes] == [1] * 20
        assert one.service.times + two.service.times == 1


@every_transport
async def test_a_write_in_one_process_is_seen_at_once_in_the_other(
    transport: Transport, tmp_path: Path
) -> None:
    async with (
        valkey(tmp_path) as client,
        serving(transport, RedisCacheStore(client)) as (one, _),
        serving(transport, RedisCacheStore(client)) as (two, replies),
    ):
        for who in (ALICE, BOB):
            await one.call("KeptForMe", GLANCE, headers=who)
        await replies.forget(FOR_ME, subject="alice")
        for each in (one, two):
            assert (await each.call("KeptForMe", GLANCE, headers=ALICE)).reply.times == 3
            assert (await each.call("KeptForMe", GLANCE, headers=BOB)).reply.times == 2


@every_transport
async def test_without_its_server_every_call_is_served(
    transport: Transport, tmp_path: Path
) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    async with serving(transport, RedisCacheStore(client)) as (lab, replies):
        outcomes = [await lab.call("KeptForMe", GLANCE, headers=ALICE) for _ in range(3)]
        assert [each.reply.times for each in outcomes] == [1, 2, 3]
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await replies.forget(FOR_ME)
    await client.aclose()
