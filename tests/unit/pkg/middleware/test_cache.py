"""Which calls get the same reply, what the handler is told, and when a reply is forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from api.lab.v1 import Done, Glance
from pkg.cache import CacheMetrics, LocalSettings, MemoryCacheStore
from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware import deadline
from pkg.middleware.cache import cache
from pkg.proto.options import Cached, Vary
from pkg.replies import HotReplyCache, ReplyCacheSettings
from pkg.rpc import current_call
from pkg.tokens import SystemTokens
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.middleware.calls import PRINCIPAL, Service, call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from pkg.cache import Stored
    from pkg.rpc import Call, Handler, Operation

MINUTE = timedelta(minutes=1)
OPERATIONS = registry().operations("lab.v1.ChainService")
FOR_ALL, FOR_ME, PLAIN = (OPERATIONS[name] for name in ("KeptForAll", "KeptForMe", "Mine"))
FOR_ROLE = replace(FOR_ME, cached=Cached(MINUTE, MINUTE, Vary.ROLE))
GLANCE = Glance(name="a", count=2)
BOB = replace(PRINCIPAL, subject="u2", name="bob")
ANOTHER_TENANT = replace(BOB, tenant="another")
ADMIN = replace(PRINCIPAL, role="admin")


class Counting:
    """Answers with how often it was called; or waits, or raises, as it is told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.current: list[Call | None] = []
        self.error: Exception | None = None
        self.headers: list[tuple[str, str]] = []
        self.size = 0
        self._inside = 0
        self.most = 0
        """Calls at once."""
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.entered = asyncio.Event()
        self.answered = asyncio.Event()

    @property
    def times(self) -> int:
        return len(self.calls)

    async def __call__(self, call: Call, message: Any) -> Any:
        self.calls.append(call)
        self.current.append(current_call.get())
        times = self.times
        self.entered.set()
        self._inside += 1
        self.most = max(self.most, self._inside)
        await asyncio.sleep(0)
        await self.go_on.wait()
        self._inside -= 1
        call.reply_headers += self.headers
        self.answered.set()
        if self.error is not None:
            raise self.error
        return Done(name=message.name + "x" * self.size, times=times)


class Store(MemoryCacheStore):
    """In memory, and away when it is told to be."""

    away = False

    async def get(self, key: str) -> Stored | None:
        """What a key holds."""
        if self.away:
            raise Fault("UNAVAILABLE")
        return await super().get(key)

    async def versions(self, tags: Any) -> list[bytes]:
        """The version of each tag."""
        if self.away:
            raise Fault("UNAVAILABLE")
        return await super().versions(tags)

    async def invalidate_tag(self, tag: str, version: bytes, ttl: timedelta) -> None:
        """Give a tag another version."""
        if self.away:
            raise Fault("UNAVAILABLE")
        await super().invalidate_tag(tag, version, ttl)


class Lab:
    """A process; several share a store."""

    def __init__(self, store: Store | None = None, **settings: Any) -> None:
        self.clock = FakeClock()
        self.store = store or Store(self.clock)
        self.service = Counting()
        self.metrics = CollectorRegistry()
        self.replies = HotReplyCache(
            self.store,
            registry(),
            ReplyCacheSettings(jitter=0, **settings),
            clock=self.clock,
            tokens=SystemTokens(),
            chance=lambda: 0.0,
            metrics=CacheMetrics(self.metrics),
        )
        self.handlers: dict[str, Handler] = {}
        self.last: Call | None = None

    def send(
        self, operation: Operation = FOR_ME, message: Glance = GLANCE, **changes: Any
    ) -> Awaitable[Any]:
        if operation.name not in self.handlers:
            self.handlers[operation.name] = cache(self.replies)(self.service, operation)
        facts = {"principal": PRINCIPAL, "request": message, **changes}
        self.last = call(operation, **facts)
        return self.handlers[operation.name](self.last, message)

    async def times(self, operation: Operation = FOR_ME, **changes: Any) -> int:
        reply = await self.send(operation, **changes)
        return int(reply.times)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    made = Lab()
    async with made.replies:
        yield made


def test_an_operation_that_is_not_cached_is_left_alone(lab: Lab) -> None:
    service = Service()
    assert cache(lab.replies)(service, PLAIN) is service


def test_what_would_be_kept_too_long_stops_the_start(lab: Lab) -> None:
    with pytest.raises(ValueError, match="30 days"):
        cache(lab.replies)(lab.service, replace(FOR_ALL, cached=Cached(timedelta(days=31))))


async def test_a_reply_is_kept_for_its_time(lab: Lab) -> None:
    assert [await lab.times() for _ in range(3)] == [1, 1, 1]
    lab.clock.advance(MINUTE)
    assert [await lab.times() for _ in range(3)] == [2, 2, 2]


async def test_another_request_and_another_language_get_replies_of_their_own(lab: Lab) -> None:
    assert await lab.times() == 1
    assert await lab.times(message=Glance(name="a", count=3)) == 2
    assert await lab.times(language="zh") == 3
    assert await lab.times(language="zh") == 3
    assert await lab.times() == 1


async def test_by_subject_nobody_gets_the_reply_to_another(lab: Lab) -> None:
    assert await lab.times(principal=PRINCIPAL) == 1
    assert await lab.times(principal=BOB) == 2
    assert await lab.times(principal=ANOTHER_TENANT) == 3
    assert await lab.times(principal=ADMIN) == 4  # whose role has changed is told so at once
    assert await lab.times(principal=replace(PRINCIPAL, session="s2", token_id="t2")) == 1


async def test_by_role_all_of_the_role_in_the_tenant_get_the_same(lab: Lab) -> None:
    assert await lab.times(FOR_ROLE, principal=PRINCIPAL) == 1
    assert await lab.times(FOR_ROLE, principal=BOB) == 1
    assert await lab.times(FOR_ROLE, principal=ANOTHER_TENANT) == 2
    assert await lab.times(FOR_ROLE, principal=ADMIN) == 3


async def test_without_distinction_all_get_the_same(lab: Lab) -> None:
    for principal in (PRINCIPAL, ANOTHER_TENANT, ADMIN, None):
        assert await lab.times(FOR_ALL, principal=principal) == 1


async def test_the_handler_is_told_only_what_the_reply_may_depend_on(lab: Lab) -> None:
    sent: dict[str, Any] = {
        "headers": {"authorization": "Bearer t"},
        "request_id": "r1",
        "sampled": True,
        "deadline": asyncio.get_running_loop().time() + 100,
        "reply_headers": [("x-request-id", "r1")],
    }
    for operation in (FOR_ME, FOR_ROLE, FOR_ALL):
        for_all = Lab()
        await for_all.send(operation, **sent)
        told = for_all.service.calls[0]
        assert for_all.service.current == [told]
        assert told is not for_all.last
        assert (told.headers, told.peer, told.reply_headers) == ({}, "", [])
        assert (told.request_id, told.sampled, told.request) == ("r1", True, GLANCE)
        assert (told.language, told.trace_id) == ("en", "0" * 32)
        if operation is FOR_ALL:
            assert told.principal is None
        else:
            told_who = (told.caller.subject, told.caller.name, told.caller.role)
            assert told_who == (
                ("u1", "alice", "user") if operation is FOR_ME else ("", "", "user")
            )
            assert told.caller.token_id == told.caller.session == ""
    assert current_call.get() is None


async def test_the_headers_of_the_handler_belong_to_the_reply(lab: Lab) -> None:
    lab.service.headers = [("x-total", "7")]
    for number in ("1", "2"):
        await lab.send(reply_headers=[("x-request-id", number)])
        assert lab.last is not None
        assert lab.last.reply_headers == [("x-request-id", number), ("x-total", "7")]
    assert lab.service.times == 1


async def test_each_caller_gets_a_message_of_its_own(lab: Lab) -> None:
    first, second = await asyncio.gather(lab.send(), lab.send())
    first.name = "mine"
    assert second == await lab.send() == Done(name="a", times=1)


async def test_of_twenty_at_once_one_is_served(lab: Lab) -> None:
    lab.service.go_on.clear()
    running = [asyncio.ensure_future(lab.send()) for _ in range(20)]
    await lab.service.entered.wait()
    lab.service.go_on.set()
    assert await asyncio.gather(*running) == [Done(name="a", times=1)] * 20
    assert lab.service.times == 1


async def test_a_fault_is_told_to_all_who_wait_and_not_kept(lab: Lab) -> None:
    lab.service.error = Fault("PERMISSION_DENIED")
    lab.service.go_on.clear()
    running = [asyncio.ensure_future(lab.send()) for _ in range(3)]
    await lab.service.entered.wait()
    lab.service.go_on.set()
    outcomes = await asyncio.gather(*running, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["PERMISSION_DENIED"] * 3
    assert lab.service.times == 1

    lab.service.error = None
    assert await lab.times() == 2


async def test_a_reply_is_made_though_the_first_caller_has_gone(lab: Lab) -> None:
    lab.service.go_on.clear()
    first = asyncio.ensure_future(lab.send())
    await lab.service.entered.wait()
    second = asyncio.ensure_future(lab.send())
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    lab.service.go_on.set()
    assert (await second).times == 1
    assert await lab.times() == 1


async def test_each_waits_until_its_own_deadline_and_the_reply_has_one_too(lab: Lab) -> None:
    lab.service.go_on.clear()
    impatient = deadline(timedelta(milliseconds=10))(
        cache(lab.replies)(lab.service, FOR_ME), FOR_ME
    )
    patient = asyncio.ensure_future(lab.send())
    with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
        await impatient(call(FOR_ME, principal=PRINCIPAL), GLANCE)
    lab.service.go_on.set()

    assert (await patient).times == 1
    now = asyncio.get_running_loop().time()
    assert lab.service.calls[0].deadline == pytest.approx(now + 10, abs=5)


@pytest.mark.parametrize(
    ("operation", "settings"),
    [
        (replace(FOR_ME, timeout=timedelta(milliseconds=10)), {}),
        (FOR_ME, {"load_timeout": timedelta(milliseconds=10)}),
    ],
    ids=["of the operation", "of the settings"],
)
async def test_what_takes_too_long_to_make_is_not_waited_for(
    operation: Operation, settings: dict[str, Any]
) -> None:
    lab = Lab(**settings)
    lab.service.go_on.clear()
    with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
        await lab.send(operation)
    lab.service.go_on.set()
    assert await lab.times(operation) == 2
    await lab.replies.stop()


async def test_a_stale_reply_is_given_while_a_new_one_is_made(lab: Lab) -> None:
    assert await lab.times(FOR_ROLE) == 1
    lab.clock.advance(MINUTE * 1.5)
    lab.service.answered.clear()
    assert await lab.times(FOR_ROLE, principal=BOB) == 1
    await lab.service.answered.wait()
    told = lab.service.calls[1]
    assert (told.caller.role, told.caller.subject) == ("user", "")

    async with asyncio.timeout(30):
        while await lab.times(FOR_ROLE) != 2:  # noqa: ASYNC110 - keeping it signals no event
            await asyncio.sleep(0)


async def test_forgotten_replies_are_made_anew_in_every_process(lab: Lab) -> None:
    other = Lab(lab.store)
    for each in (lab, other):
        assert await each.times() == 1
    await other.replies.forget(FOR_ME.name)
    assert await lab.times() == 2
    assert await other.times() == 2
    await other.replies.stop()


async def test_a_subjects_replies_are_forgotten_alone(lab: Lab) -> None:
    assert [await lab.times(principal=who) for who in (PRINCIPAL, BOB)] == [1, 2]
    await lab.replies.forget(FOR_ME.name, subject="u1")
    assert [await lab.times(principal=who) for who in (PRINCIPAL, BOB)] == [3, 2]


async def test_where_replies_are_shared_all_are_forgotten_for_one_subject(lab: Lab) -> None:
    assert await lab.times(FOR_ALL) == 1
    await lab.replies.forget(FOR_ALL.name, subject="u1")
    assert await lab.times(FOR_ALL) == 2


async def test_a_reply_that_was_begun_before_is_not_kept(lab: Lab) -> None:
    lab.service.go_on.clear()
    early = asyncio.ensure_future(lab.send())
    await lab.service.entered.wait()
    await lab.replies.forget(FOR_ME.name)
    late = asyncio.ensure_future(lab.send())
    lab.service.go_on.set()
    assert (await early).times == 1
    assert (await late).times == 2
    assert await lab.times() == 2


async def test_a_process_that_does_not_serve_an_operation_can_forget_it(lab: Lab) -> None:
    elsewhere = Lab(lab.store)
    assert await lab.times() == 1
    await elsewhere.replies.forget(FOR_ME.name)
    assert await lab.times() == 2


async def test_what_is_not_cached_has_nothing_to_forget_and_what_is_unknown_is_a_mistake(
    lab: Lab,
) -> None:
    await lab.replies.forget(PLAIN.name)
    for name in ("lab.v1.ChainService/Nope", "lab.v1.Nope/Nope", "nope"):
        with pytest.raises(KeyError):
            await lab.replies.forget(name)


async def test_while_the_store_is_away_replies_are_made_and_nothing_is_forgotten(lab: Lab) -> None:
    lab.store.away = True
    assert [await lab.times() for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await lab.replies.forget(FOR_ME.name)


async def test_while_the_store_is_away_only_so_many_replies_are_made_at_once() -> None:
    lab = Lab(max_direct_loads=2)
    lab.store.away = True
    lab.service.go_on.clear()
    running = [
        asyncio.ensure_future(lab.send(message=Glance(name=str(number)))) for number in range(10)
    ]
    await lab.service.entered.wait()
    lab.service.go_on.set()
    assert len(await asyncio.gather(*running)) == 10
    assert lab.service.most == 2
    await lab.replies.stop()


async def test_a_reply_that_is_too_large_is_given_and_not_kept() -> None:
    lab = Lab(max_reply="100B")
    lab.service.size = 100
    assert [await lab.times() for _ in range(2)] == [1, 2]
    told = {"cache": FOR_ME.name, "reason": "too_large"}
    assert lab.metrics.get_sample_value("cache_not_kept_total", told) == 2
    await lab.replies.stop()


async def test_who_waits_when_the_process_ends_is_told_to_come_again(lab: Lab) -> None:
    lab.service.go_on.clear()
    waiting = asyncio.ensure_future(lab.send())
    await lab.service.entered.wait()
    await lab.replies.stop()
    for each in (waiting, lab.send()):
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await each


async def test_a_first_level_answers_without_the_store_until_it_hears_otherwise() -> None:
    lab = Lab(local=LocalSettings(size=10))
    other = Lab(lab.store, local=LocalSettings(size=10))
    told = {"cache": FOR_ME.name, "result": "local"}

    async def hits() -> float:
        await lab.send()
        return lab.metrics.get_sample_value("cache_requests_total", told) or 0.0

    async with asyncio.timeout(30):
        while not await hits():  # noqa: ASYNC110 - hearing signals no event
            await asyncio.sleep(0)
    lab.store.away = True
    assert await lab.times() == 1
    lab.store.away = False
    await other.replies.forget(FOR_ME.name)
    async with asyncio.timeout(30):
        while await lab.times() != 2:  # noqa: ASYNC110 - hearing signals no event
            await asyncio.sleep(0)

    before = len(asyncio.all_tasks())
    await lab.replies.stop()
    await other.replies.stop()
    assert len(asyncio.all_tasks()) < before


async def test_a_process_that_ends_at_its_first_call_hears_of_nothing_more() -> None:
    lab = Lab(local=LocalSettings(size=10))
    before = asyncio.all_tasks()
    lab.service.go_on.clear()
    waiting = asyncio.ensure_future(lab.send())
    await lab.service.entered.wait()
    await lab.replies.stop()
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await waiting
    assert asyncio.all_tasks() == before


async def test_each_operation_is_counted_by_its_name(lab: Lab) -> None:
    await lab.send()
    await lab.send()
    for result in ("miss", "hit"):
        told = {"cache": FOR_ME.name, "result": result}
        assert lab.metrics.get_sample_value("cache_requests_total", told) == 1
