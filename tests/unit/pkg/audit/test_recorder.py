"""A recorder never keeps a call waiting, loses nothing silently, and has bounds."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from pydantic import ValidationError

from api.lab.v1 import Safe, Task
from pkg.audit import AuditSettings
from tests.unit.pkg.audit.ends import PATIENCE, Gate, World, call, operation, request_ids, turns

LONG = timedelta(hours=1)
"""A linger that no test waits for."""


async def test_calls_are_written_in_the_order_in_which_they_ended() -> None:
    world = World()
    async with world.running():
        for number in range(1000):
            world.record(f"r{number}")

    assert request_ids(world.memory.kept) == [f"r{n}" for n in range(1000)]
    assert world.count("audit_written_total") == 1000
    assert world.count("audit_waiting") == world.count("audit_waiting_bytes") == 0
    assert not world.alerts.sent


async def test_nothing_is_made_before_the_caller_has_had_its_turn() -> None:
    world = World()
    async with world.running():
        world.record()
        assert not world.memory.kept
        await turns()
        assert len(world.memory.kept) == 1


async def test_any_thread_may_record() -> None:
    world = World()
    async with world.running():

        def record() -> None:
            for _ in range(200):
                world.record()

        threads = [Thread(target=record) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            await asyncio.to_thread(each.join)
        async with asyncio.timeout(PATIENCE):
            while len(world.memory.kept) < 800:  # noqa: ASYNC110 - turns of the loop, not time
                await asyncio.sleep(0)

    assert world.count("audit_written_total") == 800


async def test_while_the_sink_is_away_records_wait_and_it_is_told_once() -> None:
    world = World()
    world.memory.away = True
    async with world.running():
        world.record("first")
        await world.until_paused(3)
        world.record("second")
        await world.until_paused(6)
        assert [each.title for each in world.alerts.sent] == [
            "operation records are not written, and wait"
        ]
        assert world.count("audit_waiting") == 2

        world.memory.away = False

    assert request_ids(world.memory.kept) == ["first", "second"]
    assert world.dropped("expired") == world.dropped("stopped") == 0


async def test_a_defect_of_the_sink_does_not_end_the_recording() -> None:
    sink = Gate()
    sink.broken = RuntimeError("a defect")
    world = World(sink)
    async with world.running():
        world.record()
        await world.until_paused(2)
        sink.broken = None

    assert len(sink.kept) == 1


async def test_a_record_that_is_too_old_is_dropped_while_the_sink_is_away() -> None:
    world = World(keep=timedelta(minutes=1))
    world.memory.away = True
    async with world.running():
        world.record("old")
        await world.until_paused(1)
        world.clock.advance(timedelta(seconds=59))
        world.record("young")
        await world.until_paused(world.pauses + 2)
        assert world.dropped("expired") == 0
        world.clock.advance(timedelta(seconds=2))
        await world.until_paused(world.pauses + 2)
        assert world.dropped("expired") == 1
        world.memory.away = False

    assert request_ids(world.memory.kept) == ["young"]
    assert world.alerts.sent[-1].detail == "1 expired"


async def test_a_queue_that_is_full_takes_nothing_new_and_keeps_what_it_has() -> None:
    sink = Gate()
    sink.open.clear()
    world = World(sink, queue=3)
    async with world.running():
        for number in range(10):
            world.record(f"r{number}")
            await turns()
        assert world.count("audit_waiting") == 3
        assert world.dropped("full") == 7
        sink.open.set()

    assert request_ids(sink.kept) == ["r0", "r1", "r2"]


async def test_calls_that_end_faster_than_the_loop_turns_are_bounded_too() -> None:
    world = World(queue=5)
    async with world.running():
        for _ in range(20):
            world.record()
        assert world.dropped("full") == 15

    assert len(world.memory.kept) == 5


async def test_the_queue_is_bounded_by_bytes() -> None:
    sink = Gate()
    sink.open.clear()
    world = World(sink, queue_bytes="16KiB")
    on = operation(request="lab.v1.Safe")
    async with world.running():
        for _ in range(10):
            world.recorder.record(call(on, request=Safe(note="x" * 4000)), None, "OK", 0, 0)
            await turns()
        assert world.count("audit_waiting") == 3
        assert 12_000 < world.count("audit_waiting_bytes") < 16_384
        assert world.dropped("full") == 7
        sink.open.set()

    assert len(sink.kept) == 3


async def test_a_batch_waits_for_more_until_it_is_full() -> None:
    sink = Gate()
    world = World(sink, linger=LONG, batch=3)
    async with world.running():
        world.record("r0")
        await turns()
        world.record("r1")
        await turns()
        assert sink.batches == []
        world.record("r2")
        await turns()
        assert sink.batches == [3]

    assert request_ids(sink.kept) == ["r0", "r1", "r2"]


async def test_a_batch_waits_no_longer_than_its_linger() -> None:
    sink = Gate()
    world = World(sink, linger=timedelta(milliseconds=1))
    async with world.running():
        for _ in range(2):
            sink.asked.clear()
            world.record()
            await asyncio.wait_for(sink.asked.wait(), PATIENCE)

    assert sink.batches == [1, 1]


async def test_where_there_is_no_room_for_more_a_batch_does_not_wait_for_it() -> None:
    sink = Gate()
    world = World(sink, linger=LONG, queue=2)
    async with world.running():
        for _ in range(4):
            world.record()
            await turns()

        assert sink.batches == [2, 2]
        assert world.dropped("full") == 0


async def test_a_record_that_finds_no_room_has_the_others_written() -> None:
    sink = Gate()
    world = World(sink, linger=LONG, queue_bytes="1600B")
    async with world.running():
        for _ in range(3):
            world.record()
            await turns()

        assert sink.batches == [2]
        assert world.dropped("full") == 1


async def test_the_stop_does_not_wait_for_more() -> None:
    sink = Gate()
    world = World(sink, linger=LONG, flush=timedelta(milliseconds=100))
    await world.recorder.start()
    world.record("r0")
    await turns()
    world.record("r1")

    await world.recorder.stop()

    assert request_ids(sink.kept) == ["r0", "r1"]
    assert sink.batches == [2]
    assert world.dropped("stopped") == 0


async def test_what_was_not_written_does_not_wait_for_more() -> None:
    world = World(linger=LONG, batch=2)
    world.memory.away = True
    async with world.running():
        world.record("r0")
        world.record("r1")
        await world.until_paused(1)
        world.memory.away = False
        await turns(20)
        assert request_ids(world.memory.kept) == ["r0", "r1"]


async def test_losses_are_told_at_once_and_then_once_in_a_while() -> None:
    world = World(queue=1, alert_every=timedelta(minutes=5))
    async with world.running():
        for _ in range(4):
            world.record()
        assert [each.detail for each in world.alerts.sent] == ["1 full"]
        world.clock.advance(timedelta(minutes=5))
        world.record()
        assert [each.detail for each in world.alerts.sent] == ["1 full", "3 full"]
        assert {each.topic for each in world.alerts.sent} == {"audit"}
        world.record()

    assert world.alerts.sent[-1].detail == "1 full", "what is left is told at the stop"


async def test_what_the_sink_refuses_is_lost_and_the_rest_is_not() -> None:
    sink = Gate()
    sink.refused = {"r1"}
    world = World(sink)
    async with world.running():
        for number in range(3):
            world.record(f"r{number}")

    assert request_ids(sink.kept) == ["r0", "r2"]
    assert (world.dropped("refused"), world.count("audit_written_total")) == (1, 2)


async def test_the_stop_writes_what_waits() -> None:
    sink = Gate()
    sink.open.clear()
    world = World(sink)
    await world.recorder.start()
    world.record("r1")
    await sink.asked.wait()
    world.record("r2")
    stopping = asyncio.create_task(world.recorder.stop())
    await turns()
    assert not stopping.done()

    sink.open.set()
    await asyncio.wait_for(stopping, PATIENCE)

    assert request_ids(sink.kept) == ["r1", "r2"]


async def test_the_stop_ends_in_time_though_the_sink_hangs_and_counts_what_is_lost() -> None:
    sink = Gate()
    sink.open.clear()
    world = World(sink, flush=timedelta(milliseconds=20))
    await world.recorder.start()
    world.record()
    await sink.asked.wait()
    world.record()

    await asyncio.wait_for(world.recorder.stop(), PATIENCE)

    assert world.dropped("stopped") == 2
    assert world.count("audit_waiting") == 0
    assert world.alerts.sent[-1].detail == "2 stopped"


async def test_before_the_start_and_after_the_stop_records_are_lost_and_counted() -> None:
    world = World()
    world.record()
    async with world.running():
        pass
    world.record()

    assert world.dropped("stopped") == 2
    assert not world.memory.kept


async def test_a_call_that_cannot_be_recorded_costs_itself_alone() -> None:
    world = World()
    async with world.running():
        world.recorder.record(call(headers=None), None, "OK", 0, 0)
        world.record("good")

    assert request_ids(world.memory.kept) == ["good"]
    assert world.dropped("broken") == 1


async def test_others_have_their_turn_while_many_records_are_made() -> None:
    world = World()
    passed = False

    async def other() -> None:
        nonlocal passed
        passed = True

    async with world.running():
        for _ in range(1000):
            world.recorder.record(call(request=Task(name="a")), None, "OK", 0, 0)
        waiting = asyncio.create_task(other())
        await waiting
        assert passed
        assert world.count("audit_waiting") + world.count("audit_written_total") < 1000

    assert world.count("audit_written_total") == 1000


@pytest.mark.parametrize(
    "settings",
    [
        {"maxBody": "512KiB"},
        {"queue": 0},
        {"topic": "no topic"},
        {"keep": "0s"},
        {"sink": "disk"},
        {"linger": "2s"},
    ],
)
def test_settings_have_bounds(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AuditSettings.model_validate(settings)


async def test_calls_of_another_loop_are_recorded_and_seldom_wake_that_of_the_sink(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sink = Gate()
    world = World(sink, linger=LONG, batch=50)
    woken: list[Any] = []
    async with world.running():
        here = asyncio.get_running_loop()
        wake = here.call_soon_threadsafe

        def counted(*args: Any, **options: Any) -> Any:
            woken.append(args)
            return wake(*args, **options)

        async def serve() -> None:
            for number in range(50):
                world.record(f"r{number}")
                await turns()

        monkeypatch.setattr(here, "call_soon_threadsafe", counted)
        await asyncio.wait_for(asyncio.to_thread(asyncio.run, serve()), PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while not sink.batches:  # noqa: ASYNC110 - turns of the loop, not time
                await asyncio.sleep(0)

    assert sink.batches == [50]
    assert request_ids(sink.kept) == [f"r{number}" for number in range(50)]
    assert len(woken) <= 5  # for the first record and the last, and that the thread has ended


async def test_calls_of_several_loops_are_all_recorded_once() -> None:
    world = World()

    async def serve(name: str) -> None:
        for number in range(300):
            world.record(f"{name}{number}")
            if number % 7 == 0:
                await asyncio.sleep(0)
        await turns()

    async with world.running():
        threads = [asyncio.to_thread(asyncio.run, serve(name)) for name in "abcd"]
        await asyncio.wait_for(asyncio.gather(*threads, serve("e")), PATIENCE)

    found = request_ids(world.memory.kept)
    assert len(found) == len(set(found)) == 1500
    for name in "abcde":
        own = [each for each in found if each.startswith(name)]
        assert own == [f"{name}{number}" for number in range(300)]


async def test_a_loop_that_ended_with_calls_on_it_holds_up_nobody() -> None:
    world = World()

    async with world.running():
        loop = asyncio.new_event_loop()
        loop.call_soon(world.record, "lost loop")
        loop.call_soon(loop.stop)  # before the turn that would make the record
        await asyncio.to_thread(loop.run_forever)
        loop.close()
        world.record("after")
        await turns()

    assert request_ids(world.memory.kept) == ["after", "lost loop"]


async def test_a_thread_without_a_loop_may_record() -> None:
    world = World()
    async with world.running():
        await asyncio.to_thread(world.record, "r0")
        await turns()

    assert request_ids(world.memory.kept) == ["r0"]
