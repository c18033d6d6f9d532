"""Consumers of Kafka that are killed in the middle of a batch, over and over.

What the dead one had in hand is done by the next; once, by the inbox. The rounds are ROUNDS: see
docs/explanation/failures.md.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.contract import bus_child
from tests.integration.failures.kafka_world import PATIENCE, ROUNDS, world

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.servers.kafka import Kafka

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)


async def test_consumers_that_are_killed_in_rounds(kafka: Kafka, tmp_path: Path) -> None:
    batch = 30
    async with world(kafka) as lab, bus_child.ledger(tmp_path) as ledger:
        sent = 0
        for turn in range(ROUNDS):
            numbers = range(sent, sent + batch)
            await lab.producer.send(*(lab.message(each, f"key-{each % 7}") for each in numbers))
            sent += batch
            child = bus_child.Child(lab.kind, lab.url, lab.topic, tmp_path)
            try:
                await ledger.until_done(turn * batch + batch // 3, PATIENCE)
            finally:
                child.kill()
        last = bus_child.Child(lab.kind, lab.url, lab.topic, tmp_path)
        try:
            await ledger.until_done(sent, PATIENCE)
        finally:
            assert last.stop() == 0

        assert await ledger.done() == sent
        again = ledger.called() - sent
        LOG.info("%d kills: %d in and done, %d called again", ROUNDS, sent, again)
        async with lab.member(bus_child.GROUP) as heir:
            await heir.read_nothing()  # the last one committed before it ended
