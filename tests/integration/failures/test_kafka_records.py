"""What becomes of operation records, for which no call may wait, when Kafka breaks down.

killed, brought back    records in = records on the topic + records counted as dropped
frozen at the stop      the stop ends in its time, and what is lost is counted
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.audit import AuditMetrics, AuditSettings, Recorder, RecordWriter
from pkg.audit.bus import BusSink
from pkg.backoff import Backoff
from pkg.clock import SystemClock
from pkg.tokens import SystemTokens
from tests.contract import buses
from tests.integration.failures.kafka_world import PATIENCE, SECOND, world
from tests.unit.pkg.audit.ends import call
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from scripts.servers.kafka import Kafka
    from tests.contract.buses import Lab

pytestmark = pytest.mark.integration

LOG: Final = logging.getLogger(__name__)


class Audit:
    """A recorder that writes to the lab's topic, and what it has counted."""

    def __init__(self, lab: Lab) -> None:
        self.registry, clock = CollectorRegistry(), SystemClock()
        self.recorder = Recorder(
            BusSink(lab.producer, lab.topic),
            RecordWriter(
                registry(), service="lab", max_body=4096, clock=clock, tokens=SystemTokens()
            ),
            AuditSettings(queue=300, batch=50, flush=SECOND, backoff=buses.QUICK),
            backoff=Backoff(buses.QUICK, lambda: 0.5),
            metrics=AuditMetrics(self.registry),
            alerts=MemoryAlerts(),
            clock=clock,
        )

    def record(self) -> None:
        self.recorder.record(call(), None, "OK", 0.0, 0.0)

    def count(self, name: str, **labels: str) -> int:
        return int(self.registry.get_sample_value(name, labels) or 0)

    def _busy(self, written: int) -> bool:
        return bool(self.count("audit_waiting")) or self.count("audit_written_total") < written

    async def until_none_waits(self, written: int = 1) -> None:
        """Return when so many were written at least, and none waits."""
        async with asyncio.timeout(PATIENCE):
            while self._busy(written):  # noqa: ASYNC110 - metrics tell no event
                await asyncio.sleep(0.1)


async def test_records_while_the_bus_is_killed_and_brought_back(kafka: Kafka) -> None:
    async with world(kafka) as lab:
        audit = Audit(lab)
        await audit.recorder.start()
        audit.record()
        await audit.until_none_waits()
        recorded, spent = 1, 0.0
        for turn in range(10):
            if turn == 2:
                kafka.kill()
            for _ in range(50):
                began = time.monotonic()
                audit.record()
                spent += time.monotonic() - began
                recorded += 1
            await asyncio.sleep(0.05)
        assert audit.count("audit_waiting") == 300, "the queue is full, and no fuller"

        await asyncio.to_thread(kafka.start)
        await audit.until_none_waits()
        await audit.recorder.stop()
        written = audit.count("audit_written_total")
        dropped = audit.count("audit_dropped_total", why="full")
        async with lab.member("auditors") as member:
            found: set[str] = set()
            async with asyncio.timeout(PATIENCE):
                while len(found) < written:
                    # What was not confirmed in time may have come twice, by the same id.
                    found |= {each.id for each in await member.source.poll(SECOND, 500)}

    assert written + dropped == recorded
    assert len(found) == written
    assert dropped
    assert spent < 3, "a single call that had waited for the bus would have taken that long"
    LOG.info("%d recorded in %.3f s, %d written, %d dropped", recorded, spent, written, dropped)


async def test_records_when_the_bus_is_frozen_at_the_stop(kafka: Kafka) -> None:
    async with world(kafka) as lab:
        audit = Audit(lab)
        await audit.recorder.start()
        audit.record()
        await audit.until_none_waits()
        kafka.freeze()
        try:
            for _ in range(10):
                audit.record()
            began = time.monotonic()
            await audit.recorder.stop()
            assert time.monotonic() - began < 5
        finally:
            kafka.thaw()

    assert audit.count("audit_written_total") == 1
    assert audit.count("audit_dropped_total", why="stopped") == 10
