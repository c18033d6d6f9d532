"""One request is one trace, with what it asked of SQL and Redis: at our collector and at Jaeger."""

from __future__ import annotations

import asyncio
import re
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.contract.otlp import Collector, Destination, Jaeger, OwnCollector, Seen
from tests.contract.servers import address
from tests.e2e.service import ADMIN, Service
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGIN = "user.http.v1.AuthService/Login"
CALLER = "00f067aa0ba902b7"
OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture(params=["own", pytest.param("jaeger", marks=pytest.mark.integration)])
def destination(request: pytest.FixtureRequest) -> Iterator[Destination]:
    with ExitStack() as stack:
        if request.param == "jaeger":
            grpc, query = address("TEST_OTLP_GRPC_URL"), address("TEST_JAEGER_URL")
            yield Jaeger(grpc, "grpc", query)
        else:
            yield OwnCollector(stack.enter_context(Collector()), "grpc")


async def whole_trace(destination: Destination, trace_id: str) -> list[Seen]:
    """The spans, once that of the request is there: it ends last, and may travel last."""
    async with asyncio.timeout(60):
        while True:
            spans = await destination.trace(trace_id, 1)
            if any(span.kind == "server" for span in spans):
                return spans
            await asyncio.sleep(0.05)


def test_a_request_is_a_trace_with_its_statements_and_commands(
    destination: Destination, tmp_path: Path
) -> None:
    trace_id = uuid.uuid4().hex
    settings = {"trace.endpoint": destination.endpoint, "trace.interval": "50ms"}
    with Service(tmp_path, settings) as service, Web(service) as web:
        captcha = web.solved()
        body = {"username": ADMIN, "password": service.password, **captcha}
        headers = {"traceparent": f"00-{trace_id}-{CALLER}-01"}
        reply = web.client.post("/v1/login", json=body, headers=headers)
        assert reply.status_code == 200, reply.text
        metrics = httpx.get(f"{service.admin}/metrics", headers=OPENMETRICS, trust_env=False).text
        spans = asyncio.run(whole_trace(destination, trace_id))

    (server,) = (span for span in spans if span.kind == "server")
    assert (server.name, server.parent) == (LOGIN, CALLER)
    assert server.attributes["http.route"] == "/v1/login"
    assert server.attributes["http.response.status_code"] == 200
    assert server.resource["service.name"] == "user"
    asked = [span for span in spans if span.parent == server.span_id]
    systems = {span.attributes["db.system.name"] for span in asked}
    assert systems == {"sqlite", "redis"}
    assert "SELECT" in {span.name for span in asked}
    assert service.password not in str(spans)

    assert reply.json()["traceID"] == trace_id
    assert f'trace_id="{trace_id}"' in metrics
    assert re.search(r'resource_limit\{loop="grpc",resource="sql"\} \d', metrics)
    assert re.search(r'event_loop_lag_seconds_count\{loop="grpc"\} \d', metrics)
