"""What an Elasticsearch that is absent, killed or frozen means: late documents, and none lost.

The server is a private one, so that it may be broken. It is needed where TEST_ES_URL is set.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.app import Supervised
from pkg.backoff import Backoff, BackoffSettings
from pkg.search import Index, Keyword, Query, SearchUnavailableError, Sort, Text
from pkg.search.bulk import BulkIndexer
from pkg.search.bulk_settings import BulkSettings, SpillSettings
from pkg.search.elastic import ElasticSearch
from pkg.search.elastic_settings import ElasticSettings
from scripts.servers.elastic import Elasticsearch
from tests.contract import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)
TIMEOUT = timedelta(seconds=2)
GRACE = 1.0
"""Seconds that an answer may come later than its deadline, on a busy machine."""
LONG = 120
"""Seconds for what only has to happen some time."""
OFTEN = BackoffSettings(first=timedelta(milliseconds=100), longest=timedelta(seconds=1))


@dataclass(frozen=True)
class Line:
    text: Annotated[str, Text()]
    key: Annotated[str, Keyword()] = ""


@pytest.fixture(autouse=True)
def own_deadlines() -> None:
    """Let a server take longer to start than a test may hang: all that waits here has an end."""
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elasticsearch]:
    """A server that has not been started."""
    servers.address("TEST_ES_URL")
    made = Elasticsearch(tmp_path_factory.mktemp("elasticsearch"))
    yield made
    made.thaw()
    made.stop()


@pytest.fixture
async def started(node: Elasticsearch) -> Elasticsearch:
    await asyncio.to_thread(node.start)
    return node


@dataclass
class Service:
    """What a service has: a search, its index, and documents on their way."""

    index: Index[Line]
    search: ElasticSearch
    bulk: BulkIndexer
    registry: CollectorRegistry
    alerts: MemoryAlerts
    added: int = 0
    slowest: float = 0.0
    """Seconds that one `add` took."""
    refused: float = 0.0
    """Seconds that a search and a put took until they were refused."""

    def count(self, name: str) -> int:
        return int(self.registry.get_sample_value(f"search_bulk_{name}") or 0)

    async def add(self, count: int, pace: float = 0.02) -> None:
        """Add documents at the pace of a busy service: as a rule, about a thousand a second."""
        for _ in range(count):
            began = time.monotonic()
            await self.bulk.add(self.index, str(self.added), Line(f"line {self.added}"))
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.added += 1
            if self.added % 20 == 0:
                await asyncio.sleep(pace)

    async def until(self, name: str, value: int) -> None:
        async with asyncio.timeout(LONG):
            while self.count(name) < value:  # noqa: ASYNC110 - another process signals no event
                await asyncio.sleep(0.02)

    async def found(self) -> int:
        """How many documents a search finds in the end."""
        async with asyncio.timeout(LONG):
            while True:
                query = Query(text="line", sort=(Sort("key"),), limit=1, count_up_to=100_000)
                with suppress(SearchUnavailableError):  # it may still be coming up
                    page = await self.search.search(self.index, query)
                    if page.total is not None and page.total.value >= self.added:
                        return page.total.value
                await asyncio.sleep(0.1)

    def tell(self, fault: str, back: float) -> None:
        """Log what was measured; `back`: since when the server answers again."""
        LOG.info(
            "%s: %d added, %d indexed, %d spilled, %d lost; slowest add %.3f s; refused in %.1f s;"
            " all there %.1f s after it answers",
            *(fault, self.added, self.count("indexed_total"), self.count("spilled_total")),
            *(self.count("lost_total"), self.slowest, self.refused, time.monotonic() - back),
        )

    async def refused_in_time(self) -> None:
        """See that a request is told, by its deadline, that the search is away."""
        began = time.monotonic()
        with pytest.raises(SearchUnavailableError):
            await self.search.search(self.index, Query())
        with pytest.raises(SearchUnavailableError):
            await self.search.put(self.index, "x", Line("x"))
        self.refused = time.monotonic() - began
        assert self.refused < 2 * (TIMEOUT.total_seconds() + GRACE)


@asynccontextmanager
async def service(node: Elasticsearch, directory: Path, name: str) -> AsyncIterator[Service]:
    index = Index(name, Line)
    search = ElasticSearch(
        ElasticSettings(
            urls=(node.environment()["TEST_ES_URL"],),
            timeout=TIMEOUT,
            bulk_timeout=timedelta(seconds=5),
            replicas=0,
            refresh_interval=timedelta(milliseconds=200),
        )
    )
    registry, alerts = CollectorRegistry(), MemoryAlerts()
    bulk = BulkIndexer(
        search,
        BulkSettings(
            queue_items=2000,
            flush_every=timedelta(milliseconds=100),
            backoff=OFTEN,
            spill=SpillSettings(sync="never"),  # a disk that stalls would fill the queue
        ),
        directory,
        registry=registry,
        alerts=alerts,
        chance=lambda: 0.0,
    )
    ensuring = Supervised(
        "index",
        lambda: ensure(search, index),
        backoff=Backoff(OFTEN, lambda: 0.0),
        steady=timedelta(minutes=1),
    )
    async with search:
        await ensuring.start()
        async with bulk:
            yield Service(index, search, bulk, registry, alerts)
        await ensuring.stop()


async def ensure(search: ElasticSearch, index: Index[Line]) -> None:
    await search.ensure(index)


def assert_nothing_is_lost(made: Service) -> None:
    assert made.count("added_total") == made.count("indexed_total") == made.added
    assert made.count("spilled_total") > 0
    assert made.count("spill_items") == 0
    for name in ("lost_total", "refused_total", "turned_away_total", "damaged_bytes_total"):
        assert made.count(name) == 0
    assert made.slowest < GRACE


async def test_a_server_that_is_absent_at_the_start_gets_all_when_it_comes(
    node: Elasticsearch, tmp_path: Path
) -> None:
    async with service(node, tmp_path, "absent") as made:
        await made.search.check()
        await made.refused_in_time()
        await made.add(1500)
        await made.until("spilled_total", 1000)
        assert made.count("away") == 1

        await asyncio.to_thread(node.start)
        back = time.monotonic()

        await made.until("indexed_total", 1500)
        assert await made.found() == 1500
        made.tell("absent", back)
        assert {alert.topic for alert in made.alerts.sent} == {"es"}
        assert_nothing_is_lost(made)


async def test_a_server_that_is_killed_under_load_gets_all_when_it_is_back(
    started: Elasticsearch, tmp_path: Path
) -> None:
    async with service(started, tmp_path, "killed") as made:
        await made.add(1000)
        await made.until("indexed_total", 200)

        started.kill()
        await made.add(2500)
        await made.refused_in_time()
        back = asyncio.create_task(asyncio.to_thread(started.start))
        while not back.done():
            await made.add(20, pace=0.2)
        await back
        began = time.monotonic()
        await made.add(500)

        await made.until("indexed_total", made.added)
        assert await made.found() == made.added
        made.tell("killed", began)
        assert_nothing_is_lost(made)


async def test_a_server_that_is_frozen_delays_no_request_and_gets_all_when_it_goes_on(
    started: Elasticsearch, tmp_path: Path
) -> None:
    async with service(started, tmp_path, "frozen") as made:
        await made.add(200)
        await made.until("indexed_total", 200)

        started.freeze()
        adding = asyncio.create_task(made.add(5000))
        await made.refused_in_time()
        await adding
        assert made.count("queue_items") <= 2000
        await made.until("away", 1)
        started.thaw()
        thawed = time.monotonic()

        await made.until("indexed_total", made.added)
        assert await made.found() == made.added
        made.tell("frozen", thawed)
        assert_nothing_is_lost(made)


async def test_what_was_left_at_a_stop_in_an_outage_arrives_after_the_next_start(
    started: Elasticsearch, tmp_path: Path
) -> None:
    async with service(started, tmp_path, "restarted") as first:
        await first.until("away", 0)
        await ensure(first.search, first.index)
        started.freeze()
        await first.add(700)
    started.thaw()

    async with service(started, tmp_path, "restarted") as second:
        second.added = 700
        await second.until("indexed_total", second.count("recovered_total"))
        assert await second.found() == 700

    assert first.count("lost_total") == 0
    assert first.count("indexed_total") + second.count("recovered_total") >= 700
