"""What the answers of Elasticsearch mean, and what its settings refuse. Without a server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import pytest
from pydantic import ValidationError

from pkg.config import Secret
from pkg.search import (
    Index,
    Item,
    Keyword,
    MissingIndexError,
    Outcome,
    Query,
    RefusedError,
    SearchUnavailableError,
)
from pkg.search.elastic import ElasticSearch
from pkg.search.elastic_query import snippet
from pkg.search.elastic_settings import ElasticSettings
from pkg.search.page import Snippet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOMENT = timedelta(milliseconds=200)


@dataclass(frozen=True)
class Line:
    text: Annotated[str, Keyword()]


LINES = Index("lines", Line)


class Node:
    """A server that gives the answers that it was told to give, one after the other."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.requests: list[bytes] = []
        self.heads: list[bytes] = []
        self.url = ""
        self.silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.heads.append(head)
                self.requests.append(await reader.readexactly(length))
                if self.silent:
                    continue
                status, answer = self.answers.pop(0)
                body = orjson.dumps(answer)
                writer.write(
                    b"HTTP/1.1 %d X\r\nX-Elastic-Product: Elasticsearch\r\n"
                    b"Content-Type: application/vnd.elasticsearch+json;compatible-with=9\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (status, len(body), body)
                )
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    made = Node()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await server.wait_closed()


def settings(node: Node, **changes: Any) -> ElasticSettings:
    return ElasticSettings(urls=(node.url,), retries=0, **changes)


@asynccontextmanager
async def searching(node: Node, **changes: Any) -> AsyncIterator[ElasticSearch]:
    search = ElasticSearch(settings(node, **changes))
    try:
        yield search
    finally:
        await search.stop()


def items(count: int) -> list[Item]:
    return [Item("lines", str(number), b"{}") for number in range(count)]


def of_one(status: int, kind: str) -> dict[str, Any]:
    error = {"type": kind, "reason": "why", "caused_by": {"reason": "because"}}
    return {"index": {"status": status, "error": error}}


@pytest.mark.parametrize(
    ("status", "kind", "outcome"),
    [
        (400, "document_parsing_exception", Outcome.REFUSED),
        (409, "version_conflict_engine_exception", Outcome.REFUSED),
        (429, "es_rejected_execution_exception", Outcome.BUSY),
        (503, "unavailable_shards_exception", Outcome.BUSY),
        (403, "cluster_block_exception", Outcome.BUSY),
        (429, "cluster_block_exception", Outcome.BUSY),
        (403, "security_exception", Outcome.BUSY),
        (500, "exception", Outcome.FAILED),
    ],
)
async def test_each_document_has_an_outcome_of_its_own(
    node: Node, status: int, kind: str, outcome: Outcome
) -> None:
    ok = {"index": {"status": 201}}
    node.answers = [(200, {"errors": True, "items": [ok, of_one(status, kind), ok]})]
    async with searching(node) as search:
        results = await search.write(items(3))

    assert [each.outcome for each in results] == [Outcome.DONE, outcome, Outcome.DONE]
    assert results[1].reason == "why: because"


async def test_documents_are_sent_as_they_are_encoded(node: Node) -> None:
    node.answers = [(200, {"errors": False})]
    async with searching(node) as search:
        await search.write([Item("lines", 'a"b', b'{"x":1}')])

    assert node.requests == [b'{"index":{"_index":"lines","_id":"a\\"b"}}\n{"x":1}\n']
    assert b"require_alias=true" in node.heads[0]


async def test_a_request_that_is_too_large_is_halved(node: Node) -> None:
    too_large = (413, {"error": "too large"})
    good = (200, {"errors": False})
    node.answers = [too_large, good, too_large, good, too_large]
    async with searching(node) as search:
        results = await search.write(items(4))

    assert [each.outcome for each in results] == [*[Outcome.DONE] * 3, Outcome.REFUSED]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (404, "index_not_found_exception", MissingIndexError),
        (400, "parsing_exception", RefusedError),
        (401, "security_exception", SearchUnavailableError),
        (403, "cluster_block_exception", SearchUnavailableError),
        (429, "circuit_breaking_exception", SearchUnavailableError),
        (500, "exception", SearchUnavailableError),
        (503, "search_phase_execution_exception", SearchUnavailableError),
    ],
)
async def test_an_answer_that_is_an_error_says_what_it_means(
    node: Node, status: int, kind: str, error: type[Exception]
) -> None:
    node.answers = [(status, {"error": {"type": kind, "reason": "why"}, "status": status})]
    async with searching(node) as search:
        with pytest.raises(error):
            await search.search(LINES, Query())


async def test_a_server_that_says_nothing_is_unavailable_in_time(node: Node) -> None:
    node.silent = True
    async with searching(node, timeout=MOMENT, bulk_timeout=MOMENT) as search:
        async with asyncio.timeout(5):
            with pytest.raises(SearchUnavailableError):
                await search.search(LINES, Query())
            with pytest.raises(SearchUnavailableError):
                await search.write(items(1))
            with pytest.raises(SearchUnavailableError):
                await search.ensure(LINES)


async def test_a_server_that_is_not_there_is_unavailable(node: Node) -> None:
    search = ElasticSearch(ElasticSettings(urls=("http://127.0.0.1:1",)))
    with pytest.raises(SearchUnavailableError):
        await search.get(LINES, "1")
    await search.stop()


async def test_without_need_the_process_starts_and_is_ready_without_a_server() -> None:
    async with ElasticSearch(ElasticSettings(urls=("http://127.0.0.1:1",))) as search:
        await search.check()
        with pytest.raises(SearchUnavailableError):
            await search.ping()


async def test_required_the_process_does_not_start_without_a_server() -> None:
    search = ElasticSearch(ElasticSettings(urls=("http://127.0.0.1:1",), required=True))
    with pytest.raises(SearchUnavailableError):
        await search.start()


async def test_required_the_process_is_ready_while_the_server_answers(node: Node) -> None:
    node.answers = [(200, {"status": "green"}), (200, {"status": "green"})]
    async with ElasticSearch(settings(node, required=True)) as search:
        await search.check()


@pytest.mark.parametrize(
    ("way", "header"),
    [
        ({"api_key": Secret("a2V5")}, b"authorization: ApiKey a2V5"),
        (
            {"username": "u", "password": Secret("p")},
            b"authorization: Basic dTpw",
        ),
    ],
)
async def test_the_server_is_told_who_asks(node: Node, way: dict[str, Any], header: bytes) -> None:
    node.answers = [(200, {"status": "green"})]
    async with searching(node, **way) as search:
        await search.ping()

    assert header.lower() in node.heads[0].lower()


@pytest.mark.parametrize(
    "bad",
    [
        {"urls": ()},
        {"urls": ("localhost:9200",)},
        {"urls": ("https://user:password@host:9200",)},
        {"urls": ("http://host",), "username": "u"},
        {"urls": ("http://host",), "password": Secret("p")},
        {"urls": ("http://host",), "username": "u", "password": "p", "api_key": "k"},
        {"urls": ("http://host",), "timeout": timedelta(0)},
    ],
)
def test_settings_that_cannot_work_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ElasticSettings(**bad)


def test_what_is_marked_is_read_back() -> None:
    text = "a \ue000b\ue001\ue000c\ue001 d \ue000e\ue001"

    assert snippet(text) == Snippet("a bc d e", ((2, 4), (7, 8)))
    assert snippet("plain") == Snippet("plain", ())
