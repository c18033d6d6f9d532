"""A Kafka that is absent, killed under load, or frozen.

absent at the start     everything starts; publishing waits in the buffer; flows when it comes
killed, brought back    count in = count out; what comes twice is done once, by the inbox
frozen                  senders are told in time; noticed; over when it thaws

Kills are repeated ROUNDS times: see docs/explanation/failures.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from pkg.bus import BufferFullError, DeliveryError, UnavailableError, step
from tests.contract import bus_child, buses
from tests.integration.failures.kafka_world import (
    PATIENCE,
    PUBLISH,
    ROUNDS,
    create,
    publish,
    publishing,
    until_ill,
    until_well,
    world,
)

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.servers.kafka import Kafka

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("patience")]

LOG = logging.getLogger(__name__)


async def test_absent_at_the_start(kafka_server: Kafka) -> None:
    server = kafka_server
    server.stop()
    recorder, topic = buses.Recorder(), f"test-{uuid.uuid4().hex}"
    async with world(server, topic=topic) as lab, publishing(lab) as publisher:
        consumer = lab.processor({"record": step(recorder)})
        await consumer.start()

        began = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            await lab.producer.send(lab.message("direct"))
        assert caught.value.unavailable == (lab.message("direct"),)
        told = time.monotonic() - began
        assert told < 10
        for number in range(PUBLISH.buffer):
            await publisher.publish(lab.message(number, "k"))
        with pytest.raises(BufferFullError):
            await publisher.publish(lab.message("one too many"))
        with pytest.raises(UnavailableError):
            await consumer.check()

        await asyncio.to_thread(server.start)
        began = time.monotonic()
        await create(server, topic)
        # A fresh Kafka may confirm later than these clients wait, and be sent a batch again.
        values = await recorder.until_distinct(PUBLISH.buffer, PATIENCE)
        await until_well(consumer, publisher)
        well = time.monotonic() - began
        await consumer.stop()

    LOG.info("absent: told after %.1f s; %d in and done in %.1f s", told, len(values), well)
    assert values == [str(number).encode() for number in range(PUBLISH.buffer)]
    assert len([each for each in lab.alerts.sent if "cannot consume" in each.title]) == 1


async def test_killed_under_load_and_brought_back_in_rounds(kafka: Kafka, tmp_path: Path) -> None:
    accepted = 0
    async with (
        world(kafka) as lab,
        bus_child.ledger(tmp_path) as ledger,
        publishing(lab) as publisher,
        lab.running({"handle": step(ledger.handle)}, group=bus_child.GROUP) as consumer,
    ):
        going = True

        async def load() -> None:
            nonlocal accepted
            while going:
                await publish(publisher, lab.message(accepted, f"key-{accepted % 7}"))
                accepted += 1
                await asyncio.sleep(0.01)

        loading = asyncio.create_task(load())
        noticed = recovered = 0.0
        for turn in range(ROUNDS):
            await ledger.until_done(20 * (turn + 1), PATIENCE)
            kafka.kill()
            noticed = max(noticed, await until_ill(consumer))
            await asyncio.to_thread(kafka.start)
            began = time.monotonic()
            await until_well(consumer, publisher)
            recovered = max(recovered, time.monotonic() - began)
        going = False
        await loading
        await ledger.until_done(accepted, PATIENCE)

        assert await ledger.done() == accepted
        LOG.info(
            "%d kills: %d in and done, %d called again; noticed in %.1f s, well %.1f s after it is"
            " back at most",
            ROUNDS,
            accepted,
            ledger.called() - accepted,
            noticed,
            recovered,
        )
    assert lab.count("bus_dead_total", bus_child.GROUP) == 0


async def test_frozen(kafka: Kafka) -> None:
    recorder = buses.Recorder()
    async with (
        world(kafka) as lab,
        lab.running({"record": step(recorder)}) as consumer,
    ):
        await lab.send("before", key="k")
        await recorder.until(1, PATIENCE)
        kafka.freeze()
        try:
            began = time.monotonic()
            with pytest.raises(DeliveryError) as caught:
                await lab.send("frozen", key="k")
            told = time.monotonic() - began
            noticed = await until_ill(consumer)
        finally:
            kafka.thaw()
        assert [type(why) for _, why in caught.value.failures] == [UnavailableError]
        assert told < 10
        assert noticed < 10

        began = time.monotonic()
        await until_well(consumer)
        well = time.monotonic() - began
        await lab.send("after", key="k")
        values = await recorder.until(2, PATIENCE)
        while b"after" not in values:
            values = await recorder.until(len(values) + 1, PATIENCE)

    LOG.info(
        "frozen: told after %.1f s, noticed %.1f s later, well after %.1f s", told, noticed, well
    )
    # What could not be confirmed may have arrived; nothing else may be there.
    assert set(values) <= {b"before", b"frozen", b"after"}
