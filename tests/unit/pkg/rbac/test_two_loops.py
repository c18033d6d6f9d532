"""One engine serves two event loops in two threads, as HTTP and gRPC are served."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pkg.clock import SystemClock
from pkg.rbac import (
    ClosedError,
    MemoryNotifier,
    PolicyAnnouncer,
    PolicyEngine,
    PolicySet,
    PolicyWatch,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from concurrent.futures import Future

    from pkg.rbac import Rule

T = TypeVar("T")

RULE: Rule = ("user", "/a", "GET")
BOUND = 10.0
"""Seconds, so that a deadlock is a failure."""


class Table:
    """Policies that may be read on the loop that they were first read on, and changed anywhere."""

    def __init__(self) -> None:
        self.policies = PolicySet(1)
        self.loops: set[int] = set()

    async def load(self) -> PolicySet:
        self.loops.add(threading.get_ident())
        policies = self.policies
        await asyncio.sleep(0)
        return policies

    async def version(self) -> int:
        self.loops.add(threading.get_ident())
        return self.policies.version

    def change(self, *rules: Rule) -> int:
        self.policies = PolicySet(self.policies.version + 1, rules)
        return self.policies.version


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.submit(work).result(BOUND)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@contextmanager
def loop_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    try:
        yield thread
    finally:
        thread.close()


def announcer_of(engine: PolicyEngine, notifier: MemoryNotifier) -> PolicyAnnouncer:
    return PolicyAnnouncer(engine, notifier, timeout=timedelta(seconds=BOUND))


def engine_of(table: Table) -> PolicyEngine:
    return PolicyEngine(table.load, clock=SystemClock(), max_stale=timedelta(hours=1))


def test_the_next_call_on_either_loop_is_decided_by_what_either_loop_announced() -> None:
    table, notifier = Table(), MemoryNotifier()
    engine = engine_of(table)
    watch = PolicyWatch(engine, notifier, table.version, poll=timedelta(milliseconds=1))

    async def request(granted: bool) -> None:
        version = table.change(*((RULE,) if granted else ()))
        await announcer_of(engine, notifier).policy_changed(version)
        assert engine.allowed(*RULE) is granted

    with loop_thread() as main, loop_thread() as grpc:
        main.run(watch.start())
        for number in range(200):
            granted = number % 2 == 0
            (grpc if number % 3 else main).run(request(granted))
            assert engine.allowed(*RULE) is granted
            assert engine.version == table.policies.version
        main.run(watch.stop())

    assert len(table.loops) == 1  # nothing was read where it does not belong


def test_changes_on_both_loops_at_once_all_hold_once_announced() -> None:
    table, notifier = Table(), MemoryNotifier()
    engine = engine_of(table)
    lock = threading.Lock()
    granted: list[Rule] = []

    async def grant(name: str) -> None:
        announcer = announcer_of(engine, notifier)
        for number in range(50):
            rule = ("user", f"/{name}/{number}", "GET")
            with lock:
                granted.append(rule)
                version = table.change(*granted)
            await announcer.policy_changed(version)
            assert engine.allowed(*rule)

    with loop_thread() as main, loop_thread() as grpc:
        main.run(engine.reload())
        both = [main.submit(grant("main")), grpc.submit(grant("grpc"))]
        for each in both:
            each.result(BOUND)

    assert len(table.loops) == 1


def test_a_loop_that_hangs_does_not_hang_who_announces_on_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table, notifier = Table(), MemoryNotifier()
    engine = engine_of(table)
    announcer = PolicyAnnouncer(engine, notifier, timeout=timedelta(milliseconds=20))
    busy, go_on = threading.Event(), threading.Event()

    async def hang() -> None:
        busy.set()
        go_on.wait(BOUND)

    with loop_thread() as main, loop_thread() as grpc:
        main.run(engine.reload())
        hanging = main.submit(hang())
        busy.wait(BOUND)
        grpc.run(announcer.policy_changed(table.change(RULE)))
        assert "could not be loaded yet" in caplog.text
        assert not engine.allowed(*RULE)
        go_on.set()
        hanging.result(BOUND)
        assert main.run(engine.reload()) == 2


def test_who_waits_on_another_loop_is_told_that_the_engine_is_closed() -> None:
    table = Table()
    engine = engine_of(table)
    begun = threading.Event()

    async def endless() -> PolicySet:
        begun.set()
        await asyncio.Event().wait()
        return table.policies

    with loop_thread() as main, loop_thread() as grpc:
        main.run(engine.reload())
        engine._load = endless
        waiting = grpc.submit(engine.reload())
        begun.wait(BOUND)
        main.run(engine.close())
        with pytest.raises(ClosedError):
            waiting.result(BOUND)


def test_a_notification_to_a_loop_that_has_ended_harms_nobody() -> None:
    notifier = MemoryNotifier()
    left_open: list[Any] = []

    async def subscribe() -> None:
        subscription = notifier.subscribe()
        left_open.append(subscription)
        await subscription.__aenter__()

    with loop_thread() as ended:
        ended.run(subscribe())
    asyncio.run(notifier.publish(1))
    asyncio.run(left_open.pop().__aexit__(None, None, None))
