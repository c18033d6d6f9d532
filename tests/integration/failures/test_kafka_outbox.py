"""From the outbox through Kafka to the inbox, while both ends are killed, over and over.

An order is committed with its message, or not at all; what is committed is done once, in the end,
by whoever consumes. In every second round, Kafka is killed too. The rounds are ROUNDS: see
docs/explanation/failures.md.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.contract import bus_child
from tests.integration.failures import outbox_child
from tests.integration.failures.kafka_world import PATIENCE, ROUNDS, world

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.servers.kafka import Kafka

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)
SEED = 7
"""Of the moments at which something is killed."""
MANY = 1_000_000
"""Orders that no round comes to the end of."""


async def test_what_is_committed_is_done_once_though_all_are_killed_in_rounds(
    kafka: Kafka, tmp_path: Path
) -> None:
    moments = random.Random(SEED)  # noqa: S311 - the same moments in every run
    folder = tmp_path / "shop"
    folder.mkdir()
    async with (
        world(kafka) as lab,
        outbox_child.shop(folder) as shop,
        bus_child.ledger(tmp_path) as ledger,
    ):
        for turn in range(ROUNDS):
            begin = max(await shop.orders(), default=-1) + 1
            taking = outbox_child.Child(lab.url, lab.topic, folder, begin, MANY)
            doing = bus_child.Child(lab.kind, lab.url, lab.topic, tmp_path)
            try:
                await ledger.until_done(await ledger.done() + 10, PATIENCE)
                await asyncio.sleep(moments.uniform(0, 0.5))
                if turn % 2 == 0:
                    await asyncio.to_thread(kafka.kill)
            finally:
                taking.kill()
                doing.kill()
            await asyncio.to_thread(kafka.start)
        told, ordered = shop.told(), await shop.orders()
        waiting = await shop.waiting()

        began = time.monotonic()
        taking = outbox_child.Child(lab.url, lab.topic, folder, 0, 0)
        doing = bus_child.Child(lab.kind, lab.url, lab.topic, tmp_path)
        try:
            await ledger.until_done(len(ordered), PATIENCE)
            took = time.monotonic() - began
            async with asyncio.timeout(PATIENCE):
                while await shop.waiting():  # noqa: ASYNC110 - other processes tell no event
                    await asyncio.sleep(0.05)
        finally:
            ends = (taking.stop(), doing.stop())
        done, called = await ledger.numbers(), ledger.called()

    LOG.info(
        "%d kills: %d acknowledged, %d committed, %d done; %d waited and were done in %.1f s;"
        " %d called again",
        ROUNDS,
        len(told),
        len(ordered),
        len(done),
        waiting,
        took,
        called - len(done),
    )
    assert ends == (0, 0)
    assert told <= ordered
    assert done == ordered
