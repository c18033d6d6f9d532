"""What every bus does, and every processor on it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.bus import (
    DeliveryError,
    Handler,
    LostPartitionError,
    Message,
    PoisonError,
    Received,
    RetrySettings,
    Source,
    Step,
    step,
)
from pkg.bus.replay import replay
from tests.contract import bus_child, buses, servers
from tests.contract.buses import PARTITIONS, PATIENCE, SOON, Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.contract.buses import Lab


@pytest.fixture(params=servers.KINDS)
async def lab(request: pytest.FixtureRequest, embedded_url: str) -> AsyncIterator[Lab]:
    """Memory, streams of the embedded server, Kafka."""
    url = servers.address("TEST_KAFKA_URL") if request.param == servers.SERVER else embedded_url
    async with buses.lab(request.param, url) as made:
        yield made


async def test_a_message_arrives_as_it_was_sent(lab: Lab) -> None:
    headers = (("trace", b"\x00\xff"), ("empty", b""), ("trace", b"again"))
    message = Message(topic=lab.topic, key=b"\x00key", value=b"\xffvalue", headers=headers)
    await lab.producer.send(message)

    async with lab.member() as member:
        (received,) = await member.read(1)

    assert received.message == message
    assert abs(received.timestamp - datetime.now(UTC)) < timedelta(minutes=1)


async def test_messages_with_the_same_key_stay_in_order(lab: Lab) -> None:
    await lab.producer.send(*(lab.message(number, f"key-{number % 5}") for number in range(100)))

    async with lab.member() as member:
        received = await member.read(100)

    for key in range(5):
        mine = [each for each in received if each.message.key == f"key-{key}".encode()]
        assert [int(each.message.value) for each in mine] == list(range(key, 100, 5))
        assert len({each.where for each in mine}) == 1
        offsets = [each.offset for each in mine]
        assert offsets == sorted(set(offsets))


async def test_many_messages_that_are_sent_together_stay_in_order(lab: Lab) -> None:
    await lab.producer.send(*(lab.message(number, f"key-{number % 7}") for number in range(1400)))

    async with lab.member() as member:
        received = await member.read(1400)

    for key in range(7):
        mine = [each for each in received if each.message.key == f"key-{key}".encode()]
        assert [int(each.message.value) for each in mine] == list(range(key, 1400, 7))


async def test_messages_without_a_key_are_spread(lab: Lab) -> None:
    for number in range(50):
        await lab.send(number)

    async with lab.member() as member:
        received = await member.read(50)

    assert len({each.where for each in received}) > 1


async def test_a_message_that_is_too_large_is_rejected_and_the_others_are_not(lab: Lab) -> None:
    large = Message(topic=lab.topic, value=bytes(3 << 20))

    with pytest.raises(DeliveryError) as caught:
        await lab.producer.send(lab.message("a", "k"), large, lab.message("b", "k"))

    assert [message for message, _ in caught.value.rejected] == [large]
    assert caught.value.unavailable == ()
    async with lab.member() as member:
        assert [each.message.value for each in await member.read(2)] == [b"a", b"b"]


async def test_what_is_committed_is_not_read_again_and_what_is_not_is(lab: Lab) -> None:
    await lab.send(*range(10), key="k")

    async with lab.member() as member:
        received = await member.read(10)
        await member.commit(received[:4])

    async with lab.member() as member:
        assert [each.message.value for each in await member.read(6)] == [
            b"4",
            b"5",
            b"6",
            b"7",
            b"8",
            b"9",
        ]
        await member.read_nothing()


async def test_each_group_reads_everything(lab: Lab) -> None:
    await lab.send(*range(10))

    for group in ("one", "other"):
        async with lab.member(group) as member:
            await member.commit(await member.read(10))


async def test_a_group_may_begin_with_what_comes(lab: Lab) -> None:
    await lab.send(*range(10), key="k")

    async with lab.member("late", begin="latest") as member:
        await member.until(PARTITIONS)
        await member.source.lag()  # Kafka looks up where "latest" is after it has told the owner
        await member.read_nothing()
        await lab.send("new", key="k")
        (received,) = await member.read(1)

    assert received.message.value == b"new"


async def test_a_paused_partition_is_read_again_when_it_is_resumed(lab: Lab) -> None:
    slow, other = await lab.keys_apart()
    async with lab.member() as member:
        await lab.send("before", key=slow)
        (before,) = await member.read(1)
        member.source.pause(before.where)
        await lab.send("waits", key=slow)
        await lab.send("comes", key=other)

        assert [each.message.value for each in await member.read(1)] == [b"comes"]
        await member.read_nothing()
        member.source.resume(before.where)
        assert [each.message.value for each in await member.read(1)] == [b"waits"]


async def test_seeking_reads_on_from_there(lab: Lab) -> None:
    await lab.send(*range(5), key="k")
    async with lab.member() as member:
        received = await member.read(5)

        member.source.seek(received[2].where, received[2].offset)

        assert [each.message.value for each in await member.read(3)] == [b"2", b"3", b"4"]


async def test_the_lag_is_what_is_not_committed(lab: Lab) -> None:
    await lab.send(*range(10), key="k")
    async with lab.member() as member:
        received = await member.read(10)
        where = received[0].where
        assert (await member.source.lag())[where] == 10

        await member.commit(received[:7])
        assert (await member.source.lag())[where] == 3

        await member.commit(received)
        assert sum((await member.source.lag()).values()) == 0


async def test_a_member_that_comes_gets_its_part_and_one_that_goes_leaves_it(lab: Lab) -> None:
    async with lab.member() as first:
        await first.until(PARTITIONS)
        async with lab.member_in_background() as second:
            await first.until(PARTITIONS // 2)
            await second.owns(PARTITIONS // 2)
            assert not first.owned & second.member.owned
        await first.until(PARTITIONS)


async def test_a_partition_that_is_anothers_cannot_be_committed(lab: Lab) -> None:
    await lab.send(*range(20))
    async with lab.member() as first:
        received = await first.read(20)
        async with lab.member_in_background() as second:
            await first.until(PARTITIONS // 2)
            await second.owns(PARTITIONS // 2)
            theirs = [each for each in received if each.where in second.member.owned]
            assert theirs

            with pytest.raises(LostPartitionError):
                await first.commit(theirs)


async def test_a_processor_calls_its_handlers_in_order_with_every_message(lab: Lab) -> None:
    calls: list[str] = []
    recorder = Recorder()

    def named(name: str) -> Step:
        async def handle(received: Received, following: Handler) -> None:
            calls.append(f"{name} begins")
            await following(received)
            calls.append(f"{name} ends")

        return handle

    await lab.send("x")
    async with lab.running({"a": named("a"), "b": named("b"), "end": step(recorder)}):
        await recorder.until(1)

    assert calls == ["a begins", "b begins", "b ends", "a ends"]
    assert lab.count("bus_handled_total") == 1


async def test_a_processor_keeps_the_order_of_a_key(lab: Lab) -> None:
    recorder = Recorder()
    await lab.producer.send(*(lab.message(number, f"key-{number % 7}") for number in range(140)))

    async with lab.running({"record": step(recorder)}, lanes=3):
        await recorder.until(140)

    for key in range(7):
        mine = [each.message for each in recorder.received]
        values = [int(each.value) for each in mine if each.key == f"key-{key}".encode()]
        assert values == list(range(key, 140, 7))


async def test_what_a_processor_is_done_with_is_committed(lab: Lab) -> None:
    recorder = Recorder()
    await lab.send(*range(20))
    async with lab.running({"record": step(recorder)}):
        await recorder.until(20)
    await lab.send("new")

    again = Recorder()
    async with lab.running({"record": step(again)}):
        await again.until(1)

    assert again.values == [b"new"]


async def test_what_is_not_done_at_the_stop_is_done_by_the_next(lab: Lab) -> None:
    recorder, stuck = Recorder(), asyncio.Event()

    async def hang_at_three(received: Received) -> None:
        if received.message.value == b"3":
            stuck.set()
            await asyncio.Event().wait()
        await recorder(received)

    await lab.send(*range(6), key="k")
    async with lab.running({"hang": step(hang_at_three)}, drain=SOON):
        await stuck.wait()
    assert recorder.values == [b"0", b"1", b"2"]

    async with lab.running({"record": step(recorder)}):
        await recorder.until(6)

    assert recorder.values == [b"0", b"1", b"2", b"3", b"4", b"5"]


async def test_a_stop_waits_for_what_is_in_hand(lab: Lab) -> None:
    begun, go_on, recorder = asyncio.Event(), asyncio.Event(), Recorder()

    async def slow(received: Received) -> None:
        begun.set()
        await go_on.wait()
        await recorder(received)

    await lab.send(*range(20), key="k")
    processor = lab.processor({"slow": step(slow)})
    await processor.start()
    await begun.wait()
    stopping = asyncio.create_task(processor.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    assert recorder.values[0] == b"0"

    async with lab.member("workers") as member:
        left = [each.message.value for each in await member.read(20 - len(recorder.values))]
    assert recorder.values + left == [str(number).encode() for number in range(20)]


async def test_a_failure_is_tried_again_in_its_place(lab: Lab) -> None:
    recorder, failures = Recorder(), 0

    async def fail_twice(received: Received) -> None:
        nonlocal failures
        if received.message.value == b"1" and failures < 2:
            failures += 1
            raise ValueError("not yet")
        await recorder(received)

    await lab.send(*range(4), key="k")
    async with lab.running({"fail": step(fail_twice)}):
        await recorder.until(4)

    assert recorder.values == [b"0", b"1", b"2", b"3"]
    assert lab.count("bus_retried_total") == 2
    assert lab.count("bus_failed_total") == 2


async def test_a_failure_does_not_hold_up_other_partitions(lab: Lab) -> None:
    bad, good = await lab.keys_apart()
    recorder = Recorder()

    async def fail(received: Received) -> None:
        if received.message.key == bad.encode():
            raise ValueError("never")
        await recorder(received)

    await lab.send("bad", key=bad)
    await lab.send(*range(10), key=good)
    retry = RetrySettings(attempts=1000, backoff=buses.QUICK)
    async with lab.running({"fail": step(fail)}, retry=retry, concurrency=1):
        await recorder.until(10)

    assert lab.count("bus_dead_total") == 0


async def test_what_fails_for_good_goes_to_the_dead_letters_and_tells_why(lab: Lab) -> None:
    recorder = Recorder()

    async def fail(received: Received) -> None:
        if received.message.value == b"bad":
            raise ValueError("cannot read this")
        await recorder(received)

    await lab.producer.send(lab.message("bad", "k", kept=b"yes"), lab.message("good", "k"))
    async with lab.running({"fail": step(fail)}):
        await recorder.until(1)
    async with lab.member("graves", topic=lab.dead) as graves:
        (letter,) = await graves.read(1)
    async with lab.member("workers") as member:
        await member.read_nothing()

    message = letter.message
    assert (message.value, message.key, message.header("kept")) == (b"bad", b"k", b"yes")
    assert message.header("dead-reason") == b"ValueError: cannot read this"
    assert b"in fail" in (message.header("dead-stack") or b"")
    assert message.header("dead-attempts") == b"3"
    assert message.header("dead-topic") == lab.topic.encode()
    assert message.header("dead-group") == b"workers"
    assert (message.header("dead-partition") or b"").isdigit()
    assert (message.header("dead-offset") or b"").isdigit()
    assert datetime.fromisoformat((message.header("dead-timestamp") or b"").decode())
    assert lab.count("bus_dead_total") == 1
    assert [each.topic for each in lab.alerts.sent] == ["kafka"]


async def test_poison_is_not_tried_again(lab: Lab) -> None:
    async def refuse(_received: Received) -> None:
        raise PoisonError("not JSON")

    await lab.send("bad")
    async with (
        lab.running({"refuse": step(refuse)}),
        lab.member("graves", topic=lab.dead) as graves,
    ):
        (letter,) = await graves.read(1)

    assert letter.message.header("dead-attempts") == b"1"
    assert lab.count("bus_retried_total") == 0


async def test_dead_letters_are_replayed_once(lab: Lab) -> None:
    mended, recorder = asyncio.Event(), Recorder()

    async def fail(received: Received) -> None:
        if not mended.is_set():
            raise ValueError("broken")
        await recorder(received)

    await lab.send(*range(5), key="k")
    async with lab.running({"fail": step(fail)}):
        async with lab.member("graves", topic=lab.dead) as graves:
            await graves.read(5)
        mended.set()

        def source() -> Source:
            return lab.bus.source(lab.dead, "replay")

        idle = timedelta(seconds=5)  # ends the third run, and not one that a busy broker holds up
        dry = await replay(source(), lab.producer, limit=3, dry_run=True, idle=idle)
        assert (dry.read, dry.sent) == (3, 0)
        first = await replay(source(), lab.producer, limit=2, idle=idle)
        assert (first.read, first.sent, first.skipped) == (2, 2, 0)
        second = await replay(source(), lab.producer, limit=100, idle=idle)
        assert (second.read, second.sent) == (3, 3)
        values = await recorder.until(5)

    assert values == [b"0", b"1", b"2", b"3", b"4"]
    headers = {name for each in recorder.received for name, _ in each.message.headers}
    assert headers == {"message-id", "replay-count"}


async def test_no_more_messages_are_in_hand_than_allowed(lab: Lab) -> None:
    recorder, most, now = Recorder(), 0, 0

    async def count(received: Received) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        await recorder(received)

    for number in range(40):
        await lab.send(number)
    async with lab.running({"count": step(count)}, concurrency=2, lanes=4):
        await recorder.until(40)

    assert most == 2


async def test_a_slow_handler_makes_the_processor_read_less(lab: Lab) -> None:
    recorder, go_on = Recorder(), asyncio.Event()

    async def wait(received: Received) -> None:
        await go_on.wait()
        await recorder(received)

    await lab.send(*range(200), key="k")
    async with lab.running({"wait": step(wait)}, prefetch=10) as processor:
        await lab.until_lag(200)
        for _ in range(10):
            await asyncio.sleep(SOON.total_seconds())
        assert processor.waiting <= 20
        go_on.set()
        values = await recorder.until(200)

    assert values == [str(number).encode() for number in range(200)]


async def test_a_processor_can_be_held(lab: Lab) -> None:
    recorder = Recorder()
    await lab.send("before", key="k")
    async with lab.running({"record": step(recorder)}) as processor:
        await recorder.until(1)
        processor.hold()
        await lab.send("after", key="k")
        for _ in range(10):
            await asyncio.sleep(SOON.total_seconds())
        assert recorder.values == [b"before"]

        processor.go_on()
        await recorder.until(2)


async def test_partitions_move_between_processors_without_loss_or_repetition(lab: Lab) -> None:
    recorder = Recorder()

    async def work(received: Received) -> None:
        await asyncio.sleep(0.002)
        await recorder(received)

    async def send() -> None:
        for number in range(150):
            await lab.send(number, key=f"key-{number % 20}")

    steps = {"work": step(work)}
    async with asyncio.timeout(PATIENCE), lab.running(steps):
        sending = asyncio.create_task(send())
        await recorder.until(20)
        async with lab.running(steps):
            await recorder.until(60)
            async with lab.running(steps):
                await recorder.until(100)
        await sending
        await recorder.until(150)

    assert len(set(recorder.values)) == 150
    assert buses.duplicates(recorder.values) == []
    for offsets in recorder.by_partition().values():
        assert offsets == sorted(offsets)


async def test_the_processor_tells_its_lag_and_that_it_is_well(lab: Lab) -> None:
    recorder = Recorder()
    await lab.send(*range(10))
    async with lab.running({"record": step(recorder)}) as processor:
        await recorder.until(10)
        await processor.check()
        await lab.until_lag(0)


@pytest.mark.parametrize("lab", servers.KINDS[1:], indirect=True)  # memory has one process
async def test_what_a_killed_consumer_had_in_hand_is_done_by_another(
    lab: Lab, tmp_path: Path
) -> None:
    await lab.producer.send(*(lab.message(number, f"key-{number % 9}") for number in range(100)))

    async with bus_child.ledger(tmp_path) as ledger:
        first = bus_child.Child(lab.kind, lab.url, lab.topic, tmp_path, most=50)
        try:
            await ledger.until_done(10, PATIENCE)
        finally:
            first.kill()
        assert await ledger.done() < 100
        async with lab.running({"handle": step(ledger.handle)}):
            await ledger.until_done(100, PATIENCE)

        assert await ledger.done() == 100
        assert ledger.called() >= 100
    assert lab.count("bus_dead_total") == 0
