"""A role may do what a policy of its own or of an ancestor allows, and in doubt nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta
from typing import Any

import pytest

from pkg.clock import FakeClock
from pkg.rbac import ClosedError, Link, PolicySet, Rule, StalePoliciesError
from pkg.rbac.resource import covers
from tests.unit.pkg.rbac.sources import MAX_STALE, Source, engine_of

MOMENT = timedelta(seconds=1)


async def decided(*rules: Rule, links: tuple[Link, ...] = (), ask: Rule) -> bool:
    engine = engine_of(Source(*rules, links=links))
    await engine.reload()
    first = engine.allowed(*ask)
    assert engine.allowed(*ask) is first  # as it is remembered
    return first


READ: Rule = ("user", "/v1/things/{id}", "GET")


async def test_what_a_policy_allows_is_allowed() -> None:
    assert await decided(READ, ask=READ)


@pytest.mark.parametrize(
    "ask",
    [
        ("admin", "/v1/things/{id}", "GET"),
        ("user", "/v1/things", "GET"),
        ("user", "/v1/things/{id}", "POST"),
        ("user", "/v1/things/{id}", "get"),
        ("", "/v1/things/{id}", "GET"),
        ("user", "", ""),
    ],
)
async def test_everything_else_is_denied(ask: Rule) -> None:
    assert not await decided(READ, ask=ask)


async def test_without_policies_everything_is_denied() -> None:
    assert not await decided(ask=READ)
    assert not await decided(("", "/v1/things/{id}", "GET"), ask=("", "/v1/things/{id}", "GET"))


async def test_a_star_stands_for_any_action() -> None:
    assert await decided(("user", "/a", "*"), ask=("user", "/a", "DELETE"))


@pytest.mark.parametrize(
    ("policy", "resource", "verdict"),
    [
        ("/v1/get/*", "/v1/get/userInfo", True),
        ("/v1/*/userInfo", "/v1/get/userInfo", True),
        ("/v1/get/*", "/v1/get/user/info", False),
        ("/v1/get/*", "/v1/get", False),
        ("/v1/get/*", "/v1/get/", False),
        ("/v1/get/*", "/v1/get/{path=**}", False),
        ("/v1/get/*", "/v1/get/{id}:ban", False),
        ("/v1/get/*:ban", "/v1/get/{id}:ban", True),
        ("/v1/get/*:ban", "/v1/get/{id}", False),
        ("/v1/{name=a:b}/*", "/v1/{name=a:b}/c", True),
        ("/lab.v1.Lab/*", "/lab.v1.Lab/Do", True),
        ("/v1/get/user", "/v1/get/userInfo", False),
        ("/V1/get", "/v1/get", False),
        ("/v1/g.t/*", "/v1/get/a", False),
    ],
)
def test_a_star_stands_for_one_segment(policy: str, resource: str, verdict: bool) -> None:
    assert covers(policy, resource) is verdict


CHAIN: tuple[Link, ...] = tuple((f"r{number}", f"r{number + 1}") for number in range(30))


@pytest.mark.parametrize(
    ("links", "role", "verdict"),
    [
        ((("editor", "user"),), "editor", True),
        ((("editor", "author"), ("author", "user")), "editor", True),
        ((("user", "editor"),), "editor", False),
        ((("a", "b"), ("b", "a"), ("b", "user")), "a", True),
        ((("a", "b"), ("b", "a")), "a", False),
        ((("a", "a"),), "a", False),
        ((*CHAIN, ("r30", "user")), "r0", True),
    ],
)
async def test_a_role_may_do_what_its_ancestors_may(
    links: tuple[Link, ...], role: str, verdict: bool
) -> None:
    assert await decided(READ, links=links, ask=(role, *READ[1:])) is verdict


async def test_before_the_first_load_everything_is_denied() -> None:
    engine = engine_of(Source(READ))

    assert not engine.allowed(*READ)
    assert engine.version is None
    with pytest.raises(StalePoliciesError, match="not been loaded"):
        engine.check()


async def test_a_reload_forgets_what_was_decided() -> None:
    source = Source(READ)
    engine = engine_of(source)
    await engine.reload()
    assert engine.allowed(*READ)

    source.change()
    assert await engine.reload() == 2

    assert not engine.allowed(*READ)


async def test_a_load_that_fails_changes_nothing() -> None:
    source = Source(READ)
    engine = engine_of(source)
    await engine.reload()
    source.error = OSError("database gone")

    with pytest.raises(OSError, match="database gone"):
        await engine.reload()

    assert engine.allowed(*READ)
    engine.check()


async def test_policies_that_may_be_old_allow_nothing(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    engine = engine_of(Source(READ), clock)
    await engine.reload()
    assert engine.allowed(*READ)

    clock.advance(MAX_STALE)
    assert engine.allowed(*READ)
    clock.advance(MOMENT)

    assert not engine.allowed(*READ)
    assert not engine.allowed(*READ)
    with pytest.raises(StalePoliciesError, match="61 s ago"):
        engine.check()
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1


async def test_knowing_that_nothing_has_changed_keeps_them_fresh() -> None:
    clock, source = FakeClock(), Source(READ)
    engine = engine_of(source, clock)
    await engine.reload()

    clock.advance(MAX_STALE)
    assert not await engine.reconcile(source.version)
    clock.advance(MAX_STALE)

    assert engine.allowed(*READ)
    assert source.loads == 1


async def test_a_version_that_differs_is_loaded() -> None:
    source = Source(READ)
    engine = engine_of(source)
    await engine.reload()
    source.change()

    assert await engine.reconcile(source.version)
    assert not engine.allowed(*READ)


async def test_a_load_is_given_up_in_time() -> None:
    source = Source(READ)
    engine = engine_of(source, load_timeout=timedelta(milliseconds=5))
    source.gate.clear()

    with pytest.raises(TimeoutError):
        await engine.reload()


async def test_whoever_asks_gets_what_was_committed_before() -> None:
    source = Source()
    engine = engine_of(source)
    source.gate.clear()
    early = asyncio.create_task(engine.reload())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    source.change(READ)
    late = [asyncio.create_task(engine.reload()) for _ in range(5)]
    await asyncio.sleep(0)
    source.gate.set()

    assert await early == 1
    assert await asyncio.gather(*late) == [2] * 5
    assert source.loads == 2
    assert engine.allowed(*READ)


async def test_whoever_gives_up_does_not_stop_the_others() -> None:
    source = Source(READ)
    engine = engine_of(source)
    source.gate.clear()
    one, other = (asyncio.create_task(engine.reload()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    source.gate.set()

    assert await other == 1


async def test_another_loop_hands_its_reload_over() -> None:
    source = Source(READ)
    engine = engine_of(source)
    await engine.reload()
    source.change()

    version = await asyncio.to_thread(lambda: asyncio.run(engine.reload()))

    assert version == 2
    assert not engine.allowed(*READ)


def test_when_its_loop_has_ended_nobody_waits() -> None:
    source = Source(READ)
    engine = engine_of(source)
    asyncio.run(engine.reload())

    with pytest.raises(ClosedError):
        asyncio.run(engine.reload())


async def test_a_closed_engine_loads_no_more() -> None:
    source = Source(READ)
    engine = engine_of(source)
    source.gate.clear()
    waiting = asyncio.create_task(engine.reload())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    await engine.close()

    with pytest.raises(ClosedError):
        await waiting
    with pytest.raises(ClosedError):
        await engine.reload()


async def test_memory_of_decisions_is_bounded() -> None:
    engine = engine_of(Source(("user", "/a", "*")), cache_size=3)
    await engine.reload()

    for number in range(10):
        assert engine.allowed("user", "/a", str(number))
        assert not engine.allowed("user", "/b", str(number))
    held: Any = engine._held

    assert 0 < len(held.decisions) <= 3


async def test_a_rule_that_breaks_the_matcher_denies(caplog: pytest.LogCaptureFixture) -> None:
    broken: Any = ("user", None, "*")
    engine = engine_of(Source(broken))
    await engine.reload()

    assert not engine.allowed("user", "/a", "GET")
    assert "could not be decided" in caplog.text


async def test_threads_decide_while_policies_change() -> None:
    source = Source(READ)
    engine = engine_of(source)
    await engine.reload()
    wrong: list[Rule] = []
    over = threading.Event()

    def ask() -> None:
        number = 0
        while not over.is_set():
            number += 1
            if not engine.allowed(*READ) or engine.allowed("user", f"/{number % 50}", "GET"):
                wrong.append(READ)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        source.change(READ)
        await engine.reload()
    over.set()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    assert wrong == []


def test_policies_are_values() -> None:
    assert PolicySet(1, (READ,)) == PolicySet(1, (READ,))
