"""What outbox, relay and inbox do on every database."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from prometheus_client import CollectorRegistry
from sqlalchemy import insert, select

from pkg.bus import DeliveryError, Message, UnavailableError
from pkg.outbox import create_tables, drop_tables
from tests.contract import outboxes
from tests.contract.outboxes import SETTINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlalchemy import URL
    from sqlalchemy.engine import Connection

    from tests.contract.outboxes import Shop

MOMENT = timedelta(seconds=1)


@pytest.fixture(
    scope="session",
    params=(
        outboxes.SQLITE,
        *(pytest.param(kind, marks=pytest.mark.integration) for kind in outboxes.VARIABLES),
    ),
)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A database of each kind, one after the other."""
    with outboxes.empty_database(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture
async def shop(url: URL, tmp_path: Path) -> AsyncIterator[Shop]:
    """A service with empty tables."""
    async with outboxes.shop(url, tmp_path) as made:
        yield made


async def drained(shop: Shop) -> None:
    relay = shop.relay(registry=CollectorRegistry())
    while await relay.send_waiting():
        pass


async def test_what_is_committed_is_sent_and_then_gone(shop: Shop) -> None:
    await shop.order(1)

    assert await shop.relay().send_waiting() == 1

    assert shop.wire.values == [b"1"]
    assert await shop.count(shop.schema.outbox) == 0
    assert shop.measure("outbox_sent_total") == 1


async def test_what_is_rolled_back_is_never_sent(shop: Shop) -> None:
    await shop.order(1)
    with suppress(KeyError):
        async with shop.database.transaction(writes=True) as transaction:
            await shop.outbox.add(
                transaction.session, Message(topic="orders", key=b"k", value=b"never")
            )
            raise KeyError

    await drained(shop)

    assert shop.wire.values == [b"1"]


async def test_a_message_arrives_whole_and_with_an_id(shop: Shop) -> None:
    message = Message(
        topic="orders", key=b"\x00\xff", value=bytes(range(256)), headers=(("h", b"\xff\x00"),)
    )
    async with shop.database.transaction(writes=True) as transaction:
        await shop.outbox.add(transaction.session, message)

    await drained(shop)

    (sent,) = shop.wire.sent
    assert sent.without({"message-id"}) == message
    assert len(sent.header("message-id") or b"") == 32


async def test_an_id_that_a_message_has_is_kept(shop: Shop) -> None:
    message = Message(topic="orders", value=b"", headers=(("message-id", b"mine"),))
    async with shop.database.transaction(writes=True) as transaction:
        await shop.outbox.add(transaction.session, message)

    await drained(shop)

    assert shop.wire.sent == [message]


async def test_messages_are_sent_in_order_over_several_batches(shop: Shop) -> None:
    await shop.add(*range(35), key="k")

    await drained(shop)

    assert shop.wire.values == [str(number).encode() for number in range(35)]


async def test_what_the_bus_does_not_take_now_waits_and_is_sent_later(shop: Shop) -> None:
    await shop.add(1, 2, key="k")
    relay = shop.relay()
    shop.wire.away = True
    with pytest.raises(DeliveryError):
        await relay.send_waiting()
    assert await shop.count(shop.schema.outbox) == 2

    shop.wire.away = False
    await relay.send_waiting()

    assert shop.wire.values == [b"1", b"2"]


async def test_what_the_bus_never_takes_is_kept_aside_and_holds_nothing_up(shop: Shop) -> None:
    shop.wire.refuse = b"2"
    await shop.add(1, 2, 3, key="k")
    relay = shop.relay()
    await relay.send_waiting()
    await shop.add(4, key="k")

    await relay.send_waiting()

    assert shop.wire.values == [b"1", b"3", b"4"]
    async with shop.database.transaction(writes=False) as transaction:
        rows = (await transaction.session.execute(select(shop.schema.outbox))).all()
    assert [(row.value, row.refusal) for row in rows] == [(b"2", "too large")]
    assert shop.measure("outbox_refused_total") == 1
    assert [each.topic for each in shop.alerts.sent] == ["kafka"]


async def test_what_a_dead_relay_had_taken_is_sent_when_its_lease_is_over(shop: Shop) -> None:
    await shop.add(1, 2, key="k")
    shop.wire.go_on.clear()
    dying = asyncio.create_task(shop.relay().send_waiting())
    await shop.wire.asked.wait()
    other = shop.relay(registry=CollectorRegistry())
    assert await other.send_waiting() == 0

    shop.clock.advance(SETTINGS.lease + MOMENT)
    shop.wire.asked.clear()
    taking = asyncio.create_task(other.send_waiting())
    await shop.wire.asked.wait()
    shop.wire.go_on.set()
    assert await taking == 2

    await dying  # was only slow: its messages came twice, and are deleted once
    assert shop.wire.values.count(b"1") == 2
    assert await shop.count(shop.schema.outbox) == 0


async def test_a_relay_that_is_stopped_gives_back_what_it_had_taken(shop: Shop) -> None:
    await shop.add(1, key="k")
    shop.wire.go_on.clear()
    relay = shop.relay()
    await relay.start()
    await shop.wire.asked.wait()
    await relay.stop()
    shop.wire.go_on.set()

    assert await shop.relay(registry=CollectorRegistry()).send_waiting() == 1
    assert shop.wire.values == [b"1"]


async def test_later_messages_of_a_key_wait_for_those_that_another_relay_has(shop: Shop) -> None:
    await shop.add(*range(SETTINGS.batch), key="k")
    shop.wire.go_on.clear()
    first = asyncio.create_task(shop.relay().send_waiting())
    await shop.wire.asked.wait()
    await shop.add("later", key="k")
    await shop.add("other", key="other")
    await shop.add("none")
    second = asyncio.create_task(shop.relay(registry=CollectorRegistry()).send_waiting())
    shop.wire.asked.clear()
    await shop.wire.asked.wait()
    shop.wire.go_on.set()

    assert (await first, await second) == (SETTINGS.batch, 2)
    assert shop.wire.values[-2:] == [b"other", b"none"]
    await drained(shop)
    assert shop.wire.values[-1] == b"later"


async def test_several_relays_send_each_message_once_and_keep_the_order(shop: Shop) -> None:
    async def write(key: int) -> None:
        for number in range(20):
            await shop.add(f"{key}:{number}", key=f"key-{key}")

    async with shop.another() as first, shop.another() as second:
        relays = [
            shop.relay(first, CollectorRegistry()),
            shop.relay(second, CollectorRegistry()),
        ]
        for relay in relays:
            await relay.start()
        await asyncio.gather(*(write(key) for key in range(5)))
        await shop.wire.until(100)
        for relay in relays:
            await relay.stop()

    assert len(shop.wire.values) == 100
    by_key: defaultdict[bytes, list[int]] = defaultdict(list)
    for value in shop.wire.values:
        key, _, number = value.partition(b":")
        by_key[key].append(int(number))
    assert all(numbers == list(range(20)) for numbers in by_key.values()), by_key


async def test_a_running_relay_sends_at_once_when_it_is_nudged(shop: Shop) -> None:
    relay = shop.relay()
    await relay.start()
    async with shop.database.transaction(writes=True) as transaction:
        await shop.outbox.add(transaction.session, Message(topic="orders", value=b"1"))
        transaction.after_commit(relay.nudge)

    assert await shop.wire.until(1) == [b"1"]
    await relay.stop()


async def test_a_relay_survives_an_outage_says_so_and_alerts_once(shop: Shop) -> None:
    shop.wire.away = True
    await shop.add(1, 2, key="k")
    relay = shop.relay()
    await relay.start()
    async with asyncio.timeout(30), shop.wire.changed:
        for _ in range(3):
            await shop.wire.changed.wait()
    with pytest.raises(UnavailableError):
        await relay.check()

    shop.wire.away = False
    assert await shop.wire.until(2) == [b"1", b"2"]
    await relay.stop()
    assert [each.topic for each in shop.alerts.sent] == ["kafka"]


async def test_the_relay_tells_how_much_waits_and_how_long(shop: Shop) -> None:
    await shop.add(1, 2, 3)
    shop.clock.advance(timedelta(minutes=1))
    shop.wire.go_on.clear()
    shop.wire.refuse = b"1"
    relay = shop.relay()

    await relay.measure()

    assert shop.measure("outbox_waiting") == 3
    assert shop.measure("outbox_oldest_seconds") == 60


async def test_a_message_is_handled_once_by_each_group(shop: Shop) -> None:
    outcomes = []
    for group in ("a", "a", "b"):
        async with shop.database.transaction(writes=True) as transaction:
            outcomes.append(await shop.inbox.once(transaction.session, "id", group))

    assert outcomes == [True, False, True]


async def test_a_transaction_goes_on_after_it_met_a_known_message(shop: Shop) -> None:
    async with shop.database.transaction(writes=True) as transaction:
        assert await shop.inbox.once(transaction.session, "id", "a")
    async with shop.database.transaction(writes=True) as transaction:
        assert not await shop.inbox.once(transaction.session, "id", "a")
        await transaction.session.execute(insert(shop.schema.orders).values(id=1, state="new"))

    assert await shop.count(shop.schema.orders) == 1


async def test_what_is_rolled_back_is_not_remembered(shop: Shop) -> None:
    with suppress(KeyError):
        async with shop.database.transaction(writes=True) as transaction:
            assert await shop.inbox.once(transaction.session, "id", "a")
            raise KeyError

    async with shop.database.transaction(writes=True) as transaction:
        assert await shop.inbox.once(transaction.session, "id", "a")


async def test_of_two_who_handle_a_message_at_once_one_does_it(shop: Shop) -> None:
    async def handle(number: int) -> bool:
        async with shop.database.transaction(writes=True) as transaction:
            if not await shop.inbox.once(transaction.session, "id", "a"):
                return False
            await transaction.session.execute(
                insert(shop.schema.orders).values(id=number, state="new")
            )
            return True

    outcomes = await asyncio.gather(*(handle(number) for number in range(4)))

    assert sorted(outcomes) == [False, False, False, True]
    assert await shop.count(shop.schema.orders) == 1


@pytest.mark.parametrize("message_id", ["x" * 500, "密码", "topic/0/1"])
async def test_an_id_is_any_text(shop: Shop, message_id: str) -> None:
    outcomes = []
    for each in (message_id, message_id + "!", message_id):
        async with shop.database.transaction(writes=True) as transaction:
            outcomes.append(await shop.inbox.once(transaction.session, each, "a"))

    assert outcomes == [True, True, False]


async def test_ids_are_forgotten_after_the_retention(shop: Shop) -> None:
    async with shop.database.transaction(writes=True) as transaction:
        await shop.inbox.once(transaction.session, "old", "a")
    shop.clock.advance(timedelta(days=6))
    async with shop.database.transaction(writes=True) as transaction:
        await shop.inbox.once(transaction.session, "new", "a")
    shop.clock.advance(timedelta(days=2))

    assert await shop.inbox.purge(shop.database) == 1

    async with shop.database.transaction(writes=True) as transaction:
        assert await shop.inbox.once(transaction.session, "old", "a")
        assert not await shop.inbox.once(transaction.session, "new", "a")


async def test_a_migration_makes_the_tables_that_the_models_name(shop: Shop) -> None:
    def migrated(connection: Connection) -> list[Any]:
        schema = outboxes.Schema()
        schema.metadata.remove(schema.orders)
        context = MigrationContext.configure(connection)
        operations = Operations(context)
        drop_tables(operations, "shop_")
        create_tables(operations, "shop_")
        found = compare_metadata(context, schema.metadata)
        return [each for each in found if "orders" not in str(each)]

    async with shop.database.engine.begin() as connection:
        differences = await connection.run_sync(migrated)

    assert differences == []
