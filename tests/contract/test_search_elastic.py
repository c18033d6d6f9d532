"""What only Elasticsearch does, and what SQLite does as it does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from elasticsearch import AsyncElasticsearch

from pkg.clock import FakeClock
from pkg.search import (
    Change,
    Index,
    Item,
    MigrationError,
    Outcome,
    Query,
    SearchUnavailableError,
)
from pkg.search.elastic import ElasticSearch
from pkg.search.elastic_lock import Lock, locked
from pkg.search.words import words
from tests.contract import servers
from tests.contract.searches import (
    PEOPLE,
    LatencyOnly,
    Operation,
    StatusIsText,
    forget,
    new_name,
    operations,
    settings,
)
from tests.unit.pkg.search.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.integration

SECOND = timedelta(seconds=1)


@pytest.fixture
def url() -> str:
    return servers.address("TEST_ES_URL")


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncElasticsearch]:
    async with AsyncElasticsearch(url) as made:
        yield made


@pytest.fixture
async def name(url: str) -> AsyncIterator[str]:
    made = new_name()
    yield made
    await forget(url, made)


@pytest.fixture
async def search(url: str) -> AsyncIterator[ElasticSearch]:
    async with ElasticSearch(settings(url)) as made:
        yield made


@pytest.fixture
async def people(search: ElasticSearch, name: str) -> Index[Operation]:
    index = operations(name)
    await search.ensure(index)
    for id_, each in PEOPLE.items():
        await search.put(index, id_, each, visible=True)
    return index


async def blocked(client: AsyncElasticsearch, name: str) -> bool:
    answer = await client.indices.get_settings(index=name)
    ((_, found),) = answer.body.items()
    return bool(found["settings"]["index"].get("blocks", {}).get("write") == "true")


async def test_both_searches_find_the_same_words(client: AsyncElasticsearch) -> None:
    for text in TEXTS:
        answer = await client.indices.analyze(analyzer="standard", text=text)
        theirs = [each["token"] for each in answer["tokens"]]
        assert [each.word for each in words(text)] == theirs


async def test_an_index_has_an_alias_a_template_and_no_other_fields(
    client: AsyncElasticsearch, people: Index[Operation]
) -> None:
    found = (await client.indices.get(index=people.name)).body
    templates = await client.indices.get_index_template(name=people.name)

    assert list(found) == [f"{people.name}-v1"]
    mappings = found[f"{people.name}-v1"]["mappings"]
    assert mappings["dynamic"] == "strict"
    assert mappings["properties"]["uid"] == {"type": "keyword", "ignore_above": 64}
    assert mappings["properties"]["agent"] == {"type": "text", "analyzer": "standard"}
    assert mappings["properties"]["date_time"] == {"type": "date"}
    (template,) = templates["index_templates"]
    assert template["index_template"]["index_patterns"] == [f"{people.name}-v*"]


async def test_an_index_that_others_made_is_left_alone(
    client: AsyncElasticsearch, search: ElasticSearch
) -> None:
    name = new_name()
    await client.indices.create(index=name)

    with pytest.raises(MigrationError, match="not made by this"):
        await search.ensure(operations(name))

    await client.indices.delete(index=name)


async def test_after_a_migration_only_the_new_index_is_there_and_takes_writes(
    client: AsyncElasticsearch, search: ElasticSearch, people: Index[Operation]
) -> None:
    newer = Index(people.name, LatencyOnly, version=2)
    await search.ensure(newer)

    found = (await client.indices.get(index=f"{people.name}*")).body

    assert list(found) == [f"{people.name}-v2"]
    assert set(found[f"{people.name}-v2"]["aliases"]) == {people.name}
    assert not await blocked(client, people.name)


async def test_after_a_migration_that_failed_the_old_index_takes_writes(
    client: AsyncElasticsearch, search: ElasticSearch, people: Index[Operation]
) -> None:
    newer = Index(people.name, StatusIsText, version=2)

    with pytest.raises(MigrationError):
        await search.ensure(newer)

    assert list((await client.indices.get(index=f"{people.name}*")).body) == [f"{people.name}-v1"]
    assert not await blocked(client, people.name)


async def test_while_an_index_is_migrated_writes_are_unavailable_and_searches_are_not(
    client: AsyncElasticsearch, search: ElasticSearch, people: Index[Operation]
) -> None:
    await client.indices.add_block(index=f"{people.name}-v1", block="write")

    with pytest.raises(SearchUnavailableError):
        await search.put(people, "e", Operation("eve"))
    (result,) = await search.write([Item(people.name, "e", people.encode("e", Operation("eve")))])

    assert result.outcome is Outcome.BUSY
    assert len((await search.search(people, Query())).hits) == 4


async def test_what_a_killed_migration_left_is_taken_over(
    client: AsyncElasticsearch, url: str, people: Index[Operation]
) -> None:
    dead = Lock(client, people.name, owner="dead", timeout=10 * SECOND)
    assert await dead.take(None)
    await client.indices.create(index=f"{people.name}-v2")
    await client.index(index=f"{people.name}-v2", id="stale", document={"@id": "stale"})
    await client.indices.add_block(index=f"{people.name}-v1", block="write")
    clock = FakeClock()

    async def pause(time: timedelta) -> None:
        clock.advance(max(time, SECOND))

    async with ElasticSearch(settings(url), clock=clock, pause=pause) as search:
        newer = Index(people.name, LatencyOnly, version=2)
        assert await search.ensure(newer) is Change.MIGRATED

        assert [hit.id for hit in (await search.search(newer, Query())).hits] == list(PEOPLE)
    assert clock.monotonic() > 20
    with pytest.raises(SearchUnavailableError, match="another process"):
        await dead.renew()


async def test_a_lock_that_is_renewed_is_not_taken_over(
    client: AsyncElasticsearch, name: str
) -> None:
    clock = FakeClock()
    holder = Lock(client, name, owner="holder", timeout=10 * SECOND)
    assert await holder.take(None)
    rounds = 0

    async def pause(time: timedelta) -> None:
        nonlocal rounds
        clock.advance(5 * SECOND)
        rounds += 1
        if rounds < 8:
            await holder.renew()
        else:
            await holder.release()

    options: Any = {"owner": "waiter", "lease": 8 * SECOND, "within": 10 * SECOND}
    async with locked(client, name, clock=clock, pause=pause, **options) as lock:
        await lock.renew()

    assert rounds >= 8
    assert await lock.state() is None


async def test_calls_at_the_same_time_do_not_wait_for_each_other(
    search: ElasticSearch, people: Index[Operation]
) -> None:
    pages = await asyncio.gather(*(search.search(people, Query(limit=2)) for _ in range(30)))

    assert {len(page.hits) for page in pages} == {2}
