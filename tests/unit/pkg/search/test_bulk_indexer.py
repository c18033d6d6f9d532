"""What becomes of documents on their way, whatever the server does."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.backoff import BackoffSettings
from pkg.clock import FakeClock
from pkg.config import ByteSize
from pkg.search import (
    Index,
    Keyword,
    MissingIndexError,
    Outcome,
    RefusedError,
    Result,
    SearchUnavailableError,
    Stored,
)
from pkg.search.bulk import BulkIndexer, QueueFullError
from pkg.search.bulk_settings import BulkSettings, SpillSettings
from pkg.search.spill import SpillInUseError
from tests.unit.pkg.search.bulk_target import FakeTarget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WAIT = timedelta(seconds=10)
MOMENT = timedelta(milliseconds=5)
AGES = timedelta(hours=1)


@dataclass(frozen=True)
class Line:
    text: Annotated[str, Keyword()]
    extra: Annotated[Any, Stored()] = None


LINES = Index("lines", Line)


def settings(**changes: Any) -> BulkSettings:
    return BulkSettings(
        **{
            "flush_items": 10,
            "flush_every": MOMENT,
            "queue_items": 100,
            "backoff": BackoffSettings(first=MOMENT, longest=MOMENT),
            "stop_timeout": timedelta(seconds=5),
            "spill": SpillSettings(sync="never"),
            **changes,
        }
    )


@dataclass
class Lab:
    """An indexer and what is around it."""

    target: FakeTarget
    bulk: BulkIndexer
    registry: CollectorRegistry
    alerts: MemoryAlerts
    directory: Path

    def count(self, name: str) -> int:
        return int(self.registry.get_sample_value(f"search_bulk_{name}") or 0)

    async def add(self, *ids: int) -> None:
        for id_ in ids:
            await self.bulk.add(LINES, str(id_), Line(f"line {id_}"))

    async def until(self, name: str, value: int) -> None:
        """Wait until a series has at least a value."""
        async with asyncio.timeout(10):
            while self.count(name) < value:  # noqa: ASYNC110 - metrics signal nothing
                await asyncio.sleep(0.001)

    def titles(self) -> list[str]:
        return [alert.title for alert in self.alerts.sent]

    def refused(self) -> list[dict[str, Any]]:
        path = self.directory / "refused.jsonl"
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def lab_of(target: FakeTarget, directory: Path, **changes: Any) -> Lab:
    registry, alerts = CollectorRegistry(), MemoryAlerts()
    bulk = BulkIndexer(
        target,
        settings(**changes),
        directory,
        registry=registry,
        alerts=alerts,
        chance=lambda: 0.0,
        clock=FakeClock(),
    )
    return Lab(target, bulk, registry, alerts, directory)


@asynccontextmanager
async def running(target: FakeTarget, directory: Path, **changes: Any) -> AsyncIterator[Lab]:
    lab = lab_of(target, directory, **changes)
    async with lab.bulk:
        yield lab


@pytest.fixture
def target() -> FakeTarget:
    return FakeTarget()


def files(directory: Path, pattern: str) -> list[Path]:
    return list(directory.glob(pattern))


async def fill(lab: Lab, document: Line, start: int = 0) -> int:
    """Add documents until there is no room for one; how many were taken, with those before."""
    for number in range(start, 10_000):
        try:
            await lab.bulk.add(LINES, str(number), document)
        except QueueFullError:
            return number
    pytest.fail("there is always room")


def texts(*ids: int) -> list[str]:
    return [str(id_) for id_ in ids]


# when all is well


async def test_documents_arrive_as_they_were_added(target: FakeTarget, tmp_path: Path) -> None:
    async with running(target, tmp_path) as lab:
        await lab.add(*range(25))
        await target.has(25)

    assert target.order == texts(*range(25))
    assert orjson.loads(target.documents["7"])["text"] == "line 7"
    assert (lab.count("added_total"), lab.count("indexed_total")) == (25, 25)


async def test_as_many_go_together_as_the_settings_say(target: FakeTarget, tmp_path: Path) -> None:
    target.open.clear()
    async with running(target, tmp_path, flush_every=AGES) as lab:
        await lab.add(*range(30))
        target.open.set()
        await target.has(30)

    assert [len(batch) for batch in target.batches] == [10, 10, 10]


async def test_a_few_documents_wait_for_others_and_not_for_ever(
    target: FakeTarget, tmp_path: Path
) -> None:
    async with running(target, tmp_path) as lab:
        await lab.add(1, 2, 3)
        await target.has(3)

    assert target.batches == [texts(1, 2, 3)]


async def test_a_batch_has_no_more_bytes_than_the_settings_say(
    target: FakeTarget, tmp_path: Path
) -> None:
    async with running(target, tmp_path, flush_size=ByteSize(1024)) as lab:
        for id_ in range(6):
            await lab.bulk.add(LINES, str(id_), Line("x" * 400))
        await target.has(6)

    assert max(len(batch) for batch in target.batches) == 2


async def test_the_same_id_does_not_go_twice_in_one_batch(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.open.clear()
    async with running(target, tmp_path) as lab:
        for text in ("first", "second", "third"):
            await lab.bulk.add(LINES, "1", Line(text))
        target.open.set()
        await target.has(3)

    assert target.batches == [["1"], ["1"], ["1"]]
    assert orjson.loads(target.documents["1"])["text"] == "third"


async def test_any_thread_may_add(target: FakeTarget, tmp_path: Path) -> None:
    async with running(target, tmp_path, queue_items=1000) as lab:

        def work(begin: int) -> None:
            for id_ in range(begin, begin + 100):
                lab.bulk.add_now(LINES, str(id_), Line("x"))

        threads = [threading.Thread(target=work, args=(begin,)) for begin in (0, 100, 200)]
        for thread in threads:
            thread.start()
        await target.has(300)
        for thread in threads:
            await asyncio.to_thread(thread.join)

    assert len(target.documents) == 300


async def test_a_bad_document_is_refused_at_once(target: FakeTarget, tmp_path: Path) -> None:
    async with running(target, tmp_path, flush_size=ByteSize(1024)) as lab:
        with pytest.raises(RefusedError):
            await lab.bulk.add(LINES, "", Line("x"))
        with pytest.raises(RefusedError, match="larger"):
            lab.bulk.add_now(LINES, "1", Line("x", extra="x" * 1024))

    assert lab.count("added_total") == 0


# when the server has trouble


async def test_what_the_server_has_no_time_for_is_sent_again(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.outcomes = {"2": [Result(Outcome.BUSY, "too many")] * 30}
    async with running(target, tmp_path, flush_every=AGES, flush_items=3) as lab:
        await lab.add(1, 2, 3)
        await target.has(3)

    assert target.batches[:2] == [["1", "2", "3"], ["2"]]
    assert lab.count("indexed_total") == 3
    assert lab.count("retried_total") == 30


async def test_later_documents_wait_for_those_that_are_sent_again(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.outcomes = {"1": [Result(Outcome.BUSY)] * 3}
    async with running(target, tmp_path) as lab:
        await lab.add(1)
        await target.asked_again()
        await lab.bulk.add(LINES, "1", Line("later"))
        await target.has(2)

    assert orjson.loads(target.documents["1"])["text"] == "later"


async def test_what_the_server_fails_on_is_given_up_in_the_end(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.outcomes = {"2": [Result(Outcome.FAILED, "broken")] * 9}
    async with running(target, tmp_path, max_attempts=3) as lab:
        await lab.add(1, 2, 3)
        await lab.until("refused_total", 1)

    assert len(target.outcomes["2"]) == 6
    assert sorted(target.order) == ["1", "3"]
    assert lab.refused()[0]["reason"] == "broken"


async def test_what_is_refused_is_counted_kept_and_told(target: FakeTarget, tmp_path: Path) -> None:
    target.outcomes = {"2": [Result(Outcome.REFUSED, "no such field")]}
    async with running(target, tmp_path) as lab:
        await lab.add(1, 2, 3)
        await lab.until("refused_total", 1)
        await target.has(2)

    assert (lab.count("indexed_total"), lab.count("refused_total")) == (2, 1)
    (line,) = lab.refused()
    assert (line["index"], line["id"], line["reason"]) == ("lines", "2", "no such field")
    assert orjson.loads(line["document"])["text"] == "line 2"
    assert lab.titles() == ["the search refuses documents"]
    assert lab.alerts.sent[0].topic == "es"
    assert "no such field" in lab.alerts.sent[0].detail


async def test_the_file_of_refused_documents_is_bounded(target: FakeTarget, tmp_path: Path) -> None:
    target.outcomes = {str(id_): [Result(Outcome.REFUSED, "no")] for id_ in range(60)}
    async with running(target, tmp_path, refused_size=ByteSize(2048)) as lab:
        for id_ in range(60):
            await lab.add(id_)
            await lab.until("refused_total", id_ + 1)

    sizes = {path.name: path.stat().st_size for path in files(tmp_path, "refused*")}
    assert set(sizes) == {"refused.jsonl", "refused.jsonl.1"}
    assert max(sizes.values()) <= 2048
    assert lab.refused()[-1]["id"] == "59"


# when the server is away


async def test_while_the_server_is_away_documents_go_to_disk(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.away()
    async with running(target, tmp_path) as lab:
        await lab.add(*range(250 // 5))
        await lab.until("spilled_total", 50)
        assert lab.bulk.away == "away"
        assert lab.count("away") == 1
        await lab.bulk.check()

        target.back()
        await target.has(50)
        await lab.until("indexed_total", 50)

        assert lab.bulk.away == ""
    assert target.order == texts(*range(50))
    assert lab.count("spill_items") == lab.count("spill_bytes") == lab.count("away") == 0
    assert lab.titles() == ["the search takes no documents"]


async def test_an_index_that_nobody_has_made_yet_is_waited_for(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.error = MissingIndexError("lines")
    async with running(target, tmp_path) as lab:
        await lab.add(1, 2)
        await lab.until("spilled_total", 2)
        target.back()
        await target.has(2)

    assert target.order == ["1", "2"]


async def test_more_than_memory_holds_goes_to_disk_while_a_request_hangs(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.open.clear()
    async with running(target, tmp_path, flush_every=AGES, full_wait=WAIT) as lab:
        await lab.add(*range(500))
        assert lab.count("spilled_total") >= 390  # but those that memory holds
        target.open.set()
        await target.has(500)

    assert target.order == texts(*range(500))
    assert lab.count("turned_away_total") == 0


async def test_order_holds_through_memory_and_disk(target: FakeTarget, tmp_path: Path) -> None:
    async with running(target, tmp_path, queue_items=20, full_wait=WAIT) as lab:
        for round_ in range(20):
            if round_ % 4 == 1:
                target.away()
            if round_ % 4 == 3:
                target.back()
            for id_ in range(8):
                await lab.bulk.add(LINES, str(id_), Line(f"{round_}"))
            await asyncio.sleep(0.002)
        target.back()
        await lab.until("indexed_total", 160)

    assert {orjson.loads(each)["text"] for each in target.documents.values()} == {"19"}


async def test_required_the_process_is_not_ready_while_the_server_is_away(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.away()
    async with running(target, tmp_path, required=True) as lab:
        await lab.bulk.check()
        await lab.add(1)
        await lab.until("away", 1)

        with pytest.raises(SearchUnavailableError):
            await lab.bulk.check()


# when there is no room


async def test_without_room_a_document_is_turned_away_at_once(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.open.clear()
    async with running(target, tmp_path, spill=None, flush_every=AGES) as lab:
        await lab.add(*range(10))
        await target.asked.wait()
        await lab.add(*range(10, 110))
        with pytest.raises(QueueFullError):
            await lab.add(110)
        with pytest.raises(QueueFullError):
            lab.bulk.add_now(LINES, "110", Line("x"))
        target.open.set()
        await target.has(110)

    assert target.order == texts(*range(110))
    assert (lab.count("added_total"), lab.count("turned_away_total")) == (110, 2)


async def test_bytes_fill_the_queue_too(target: FakeTarget, tmp_path: Path) -> None:
    target.open.clear()
    changes = {"spill": None, "queue_size": ByteSize(4096), "flush_size": ByteSize(2048)}
    async with running(target, tmp_path, flush_every=AGES, **changes) as lab:
        taken = await fill(lab, Line("x" * 1000))
        target.open.set()

    assert taken < 9
    assert lab.count("added_total") == len(target.documents) == taken


async def test_who_may_wait_gets_the_room_that_comes(target: FakeTarget, tmp_path: Path) -> None:
    target.open.clear()
    changes = {"spill": None, "full_wait": WAIT}
    async with running(target, tmp_path, flush_every=MOMENT, **changes) as lab:
        await lab.add(*range(10))
        await target.asked.wait()
        await lab.add(*range(10, 110))
        waiting = [asyncio.create_task(lab.add(id_)) for id_ in range(110, 120)]
        await asyncio.sleep(0)
        target.open.set()
        await asyncio.gather(*waiting)
        await target.has(120)

    assert lab.count("turned_away_total") == 0


async def test_a_full_disk_turns_documents_away_and_drops_none(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.away()
    spill = SpillSettings(max_size=ByteSize.parse("1MiB"), sync="never")
    large = Line("x", extra="x" * 20_000)
    async with running(target, tmp_path, spill=spill, full_wait=WAIT / 20) as lab:
        taken = 0
        while "there is no more room on disk for documents" not in lab.titles():
            taken = await fill(lab, large, taken)
        assert lab.count("spill_bytes") <= 1024 * 1024

        target.back()
        await target.has(taken)

    assert target.order == texts(*range(taken))
    assert lab.count("lost_total") == 0


# at the end, and after it


async def test_the_stop_sends_what_waits(target: FakeTarget, tmp_path: Path) -> None:
    async with running(target, tmp_path, flush_every=AGES) as lab:
        await lab.add(*range(13))

    assert target.order == texts(*range(13))
    assert lab.count("lost_total") == lab.count("spilled_total") == 0


async def test_after_the_stop_documents_are_turned_away(target: FakeTarget, tmp_path: Path) -> None:
    lab = lab_of(target, tmp_path)
    with pytest.raises(QueueFullError):
        await lab.add(0)
    async with lab.bulk:
        pass

    with pytest.raises(QueueFullError):
        await lab.add(1)
    assert lab.count("turned_away_total") == 2


@pytest.mark.parametrize("hangs", [True, False])
async def test_what_cannot_leave_before_the_stop_leaves_after_the_next_start(
    target: FakeTarget, tmp_path: Path, *, hangs: bool
) -> None:
    if hangs:
        target.open.clear()
    else:
        target.away()
    stop = timedelta(milliseconds=20)
    async with running(target, tmp_path, stop_timeout=stop, flush_every=AGES) as first:
        await first.add(*range(35))
    target.open.set()
    target.back()

    async with running(target, tmp_path) as second:
        await second.add(35)
        await target.has(36)
        await second.until("indexed_total", 36)

    assert target.order == texts(*range(36))
    assert first.count("spilled_total") == second.count("recovered_total") == 35
    assert (second.count("added_total"), second.count("indexed_total")) == (1, 36)


async def test_the_stop_keeps_what_waits_even_beyond_the_bound_of_the_disk(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.away()
    spill = SpillSettings(max_size=ByteSize.parse("1MiB"), sync="never")
    large = Line("x", extra="x" * 50_000)
    async with running(target, tmp_path, spill=spill) as first:
        taken = await fill(first, large)
    target.back()

    async with running(target, tmp_path):
        await target.has(taken)

    assert target.order == texts(*range(taken))
    assert first.count("lost_total") == 0


async def test_without_a_disk_the_stop_tells_what_is_lost(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.away()
    async with running(target, tmp_path, spill=None) as lab:
        await lab.add(1, 2, 3)
        await lab.until("away", 1)

    assert lab.count("lost_total") == 3
    assert "documents were lost at the stop" in lab.titles()


async def test_a_stop_that_is_cancelled_still_keeps_what_waits(
    target: FakeTarget, tmp_path: Path
) -> None:
    target.open.clear()
    lab = lab_of(target, tmp_path, stop_timeout=AGES, flush_every=AGES)
    await lab.bulk.start()
    await lab.add(*range(12))
    await target.asked.wait()
    stopping = asyncio.create_task(lab.bulk.stop())
    await asyncio.sleep(0.01)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping

    target.open.set()
    async with running(target, tmp_path):
        await target.has(12)

    assert target.order == texts(*range(12))


async def test_two_processes_do_not_share_a_directory(target: FakeTarget, tmp_path: Path) -> None:
    async with running(target, tmp_path):
        other = lab_of(target, tmp_path)
        with pytest.raises(SpillInUseError):
            await other.bulk.start()


async def test_count_in_is_count_out_through_many_outages(
    target: FakeTarget, tmp_path: Path
) -> None:
    refused = [str(id_) for id_ in range(0, 2000, 97)]
    target.outcomes = {id_: [Result(Outcome.REFUSED, "no")] for id_ in refused}
    lives = []
    for life in range(4):
        stop = timedelta(milliseconds=10)
        async with running(target, tmp_path, stop_timeout=stop, full_wait=WAIT) as lab:
            for id_ in range(life * 500, (life + 1) * 500):
                if id_ % 100 == 30:
                    target.away()
                if id_ % 100 == 80:
                    target.back()
                await lab.add(id_)
            if life == 3:
                await target.has(2000 - len(refused))
        lives.append(lab)

    assert len(target.documents) == 2000 - len(refused)
    assert sum(lab.count("added_total") for lab in lives) == 2000
    assert sum(lab.count("indexed_total") for lab in lives) == len(target.order)
    assert sum(lab.count("lost_total") for lab in lives) == 0
