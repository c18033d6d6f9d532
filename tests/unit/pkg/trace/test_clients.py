"""What a recorded call asks of databases and other services is seen in its trace."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from elastic_transport import BaseAsyncNode, HttpHeaders, NodeConfig
from elastic_transport._models import ApiResponseMeta
from elastic_transport._node import NodeApiResponse
from elasticsearch import AsyncElasticsearch, NotFoundError
from opentelemetry.trace import SpanKind, StatusCode
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.lab.strict.v1 import Line
from api.lab.strict.v1.service import StrictServiceClient
from pkg.database import Database, DatabaseSettings
from pkg.errors import Fault
from pkg.grpc import GrpcChannel
from pkg.redis import EmbeddedValkey, open_redis
from pkg.trace import current_span
from pkg.trace.elastic import TracedTransport as TracedElastic
from pkg.trace.http import TracedTransport
from pkg.trace.redis import trace_redis
from pkg.trace.sql import trace_sql
from tests.unit.pkg.grpc.strict import running
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.patient import PATIENT
from tests.unit.pkg.trace.recorder import TRACE, Recorder, about, ids, parent, recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with recording() as made:
        yield made


async def children(recorder: Recorder) -> list[ReadableSpan]:
    """What was recorded within `root`, in order."""
    await recorder.tracing.stop()
    every = recorder.memory.get_finished_spans()
    (root,) = (span for span in every if span.name == "root")
    found = [span for span in every if span.name != "root"]
    assert {ids(span)[0] for span in found} == {TRACE}
    assert {parent(span) for span in found} == {ids(root)[1]}
    return found


@asynccontextmanager
async def within(recorder: Recorder) -> AsyncIterator[None]:
    root = recorder.root()
    with root.current():
        yield
    root.end()


# SQL


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(DatabaseSettings(), data_dir=tmp_path)
    trace_sql(made.engine)
    await made.start()
    yield made
    await made.stop()


async def test_a_statement_is_a_span_without_its_parameters(
    recorder: Recorder, database: Database
) -> None:
    async with within(recorder), database.transaction(writes=True) as transaction:
        await transaction.session.execute(text("CREATE TABLE t (a TEXT)"))
        await transaction.session.execute(
            text("INSERT INTO t (a) VALUES (:a)"), [{"a": "hunter2"}, {"a": "b"}]
        )
        await transaction.session.execute(text("SELECT a FROM t WHERE a = :a"), {"a": "hunter2"})
    spans = {span.name: span for span in await children(recorder)}

    assert set(spans) == {"BEGIN", "CREATE", "INSERT", "SELECT"}
    assert spans["SELECT"].kind is SpanKind.CLIENT
    told = about(spans["SELECT"])
    assert told["db.system.name"] == "sqlite"
    assert told["db.query.text"] == "SELECT a FROM t WHERE a = ?"
    inserted = about(spans["INSERT"])
    assert inserted["db.operation.batch.size"] == 2
    assert inserted["db.response.affected_rows"] == 2
    assert "hunter2" not in str([about(span) for span in spans.values()])


async def test_a_statement_that_fails_says_why(recorder: Recorder, database: Database) -> None:
    async with within(recorder):
        with pytest.raises(OperationalError):
            async with database.transaction(writes=False) as transaction:
                await transaction.session.execute(text("SELECT * FROM nowhere"))
    _, span = await children(recorder)

    assert span.status.status_code is StatusCode.ERROR
    assert about(span)["error.type"] == "OperationalError"


async def test_statements_outside_of_a_span_leave_none(
    recorder: Recorder, database: Database
) -> None:
    await database.check()
    await recorder.tracing.stop()

    assert recorder.memory.get_finished_spans() == ()


# Redis


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    yield server.url
    await server.stop()


async def test_commands_and_pipelines_are_spans_without_keys(
    recorder: Recorder, redis_url: str
) -> None:
    client: Any = open_redis(PATIENT, redis_url)
    trace_redis(client)
    await client.set("before", 1)
    async with within(recorder):
        await client.set("secret-key", "hunter2")
        async with client.pipeline() as pipeline:
            await pipeline.get("secret-key").get("other").execute()
        assert await client.register_script("return ARGV[1]")(args=["x"]) == b"x"
        with pytest.raises(RedisError):
            await client.lpush("secret-key", 1)
    await client.aclose()
    spans = await children(recorder)

    assert [span.name for span in spans][:2] == ["SET", "PIPELINE"]
    assert about(spans[0]) == {"db.system.name": "redis", "db.operation.name": "SET"}
    assert about(spans[1])["db.operation.batch.size"] == 2
    assert "EVALSHA" in {span.name for span in spans}
    assert spans[-1].name == "LPUSH"
    assert about(spans[-1])["error.type"] == "ResponseError"
    assert "secret-key" not in str([about(span) for span in spans])


# HTTP


async def test_a_request_takes_the_trace_along(recorder: Recorder) -> None:
    got: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(404 if "missing" in request.url.path else 200)

    transport = TracedTransport(httpx.MockTransport(answer))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop:8000") as client:
        await client.get("/")
        async with within(recorder):
            await client.get("/found?token=hunter2")
            await client.get("/missing")
    found, missing = await children(recorder)

    assert "traceparent" not in got[0].headers
    assert got[1].headers["traceparent"] == f"00-{TRACE}-{ids(found)[1]}-01"
    assert about(found) == {
        "http.request.method": "GET",
        "server.address": "shop",
        "server.port": 8000,
        "http.response.status_code": 200,
    }
    assert found.status.status_code is StatusCode.UNSET
    assert missing.status.status_code is StatusCode.ERROR


async def test_a_request_that_nobody_answers_is_a_failure(recorder: Recorder) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    transport = TracedTransport(httpx.MockTransport(refuse))
    async with httpx.AsyncClient(transport=transport) as client, within(recorder):
        with pytest.raises(httpx.ConnectError):
            await client.get("http://shop/")
    (span,) = await children(recorder)

    assert about(span)["error.type"] == "ConnectError"


# Elasticsearch


class Node(BaseAsyncNode):
    """A server that has no documents."""

    _CLIENT_META_HTTP_CLIENT = ("lab", "1")
    got: list[HttpHeaders]

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.got = []

    async def perform_request(  # type: ignore[override]  # the arguments that are looked at
        self, method: str, target: str, **options: Any
    ) -> NodeApiResponse:
        self.got.append(options["headers"])
        headers = HttpHeaders(
            {"x-elastic-product": "Elasticsearch", "content-type": "application/json"}
        )
        status = 404 if "_doc" in target else 200
        return NodeApiResponse(
            ApiResponseMeta(status, "1.1", headers, 0.0, self.config), b'{"count": 0}'
        )

    async def close(self) -> None:  # type: ignore[override]  # as the base class of async nodes
        return


async def test_a_search_is_a_span_by_its_endpoint(recorder: Recorder) -> None:
    client = AsyncElasticsearch(
        "http://search:9200", node_class=Node, transport_class=TracedElastic
    )
    await client.count(index="a")
    async with within(recorder):
        await client.count(index="a", query={"term": {"name": "hunter2"}})
        with pytest.raises(NotFoundError):
            await client.get(index="a", id="1")
    (node,) = client.transport.node_pool.all()
    await client.close()
    counted, missing = await children(recorder)

    assert counted.name == "count"
    assert about(counted) == {
        "db.system.name": "elasticsearch",
        "db.operation.name": "count",
        "http.request.method": "POST",
        "http.response.status_code": 200,
    }
    assert (missing.name, missing.status.status_code) == ("get", StatusCode.ERROR)
    assert isinstance(node, Node)
    assert "traceparent" not in node.got[0]
    assert node.got[1]["traceparent"] == f"00-{TRACE}-{ids(counted)[1]}-01"


# gRPC


async def lines(*texts: str) -> AsyncIterator[Line]:
    for each in texts:
        yield Line(line_text=each)


async def test_calls_of_every_kind_are_spans_and_their_servers_are_told(
    recorder: Recorder,
) -> None:
    async with running() as run, GrpcChannel(run.target, registry()) as channel:
        client = StrictServiceClient(channel)
        async with within(recorder):
            await client.say(Line(line_text="a"))
            await client.join(lines("a", "b"))
            assert [each.line_text async for each in client.talk(lines("a"))] == ["A"]
            async for _ in client.split(Line(line_text="a b")):
                break
        told = [each.headers["traceparent"] for each in run.strict.calls]
    spans = await children(recorder)

    assert {each.name.rpartition("/")[2] for each in spans} == {"Say", "Join", "Talk", "Split"}
    assert all(each.kind is SpanKind.CLIENT for each in spans)
    assert sorted(told) == sorted(f"00-{TRACE}-{ids(each)[1]}-01" for each in spans)


async def test_a_refusal_is_named_on_the_span_of_the_call(recorder: Recorder) -> None:
    async with running() as run, GrpcChannel(run.target, registry()) as channel, within(recorder):
        with pytest.raises(Fault, match="INVALID_ARGUMENT"):
            await StrictServiceClient(channel).say(Line(line_text="x" * 10_000))
    (span,) = await children(recorder)

    assert about(span)["error.type"] == "INVALID_ARGUMENT"
    assert span.status.status_code is StatusCode.ERROR


@pytest.fixture(autouse=True)
def nothing_is_left_current() -> Iterator[None]:
    yield
    assert current_span.get() is None


async def test_a_task_that_is_begun_within_a_span_is_within_it(recorder: Recorder) -> None:
    async def work() -> None:
        span = current_span.get()
        assert span is not None
        span.child("task", "internal").end()

    async with within(recorder):
        await asyncio.create_task(work())
    (span,) = await children(recorder)

    assert span.name == "task"
