"""What spans are sent to in tests: a collector of our own, and Jaeger.

    TEST_OTLP_GRPC_URL      http://127.0.0.1:4317, of Jaeger
    TEST_OTLP_HTTP_URL      http://127.0.0.1:4318, of the same
    TEST_JAEGER_URL         http://127.0.0.1:16686, its query API

The collector speaks OTLP over gRPC and over HTTP, on the messages of `opentelemetry-proto`. As a
program, which can be killed and frozen, it appends the name of every span to a file:

    python otlp.py <gRPC port> <HTTP port> <file>
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import grpc
import httpx
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

DEADLINE = 20.0
"""Seconds until what was sent must be found."""
_KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class Seen:
    """A span, as whoever received it tells."""

    name: str
    span_id: str
    parent: str
    kind: str
    failed: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: tuple[str, ...]
    """Their names."""


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a thread or another process does and nobody tells us of."""
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, "not within the deadline"
        await asyncio.sleep(0.01)


class Destination(Protocol):
    """Where spans go to, and where they are found again."""

    @property
    def endpoint(self) -> str:
        """For `TraceSettings`."""
        ...

    @property
    def protocol(self) -> str:
        """For `TraceSettings`."""
        ...

    async def trace(self, trace_id: str, spans: int) -> list[Seen]:
        """The spans of a trace, as soon as there are so many; in the order of their begin."""
        ...


class Collector:
    """Takes spans on free ports of 127.0.0.1, and keeps them."""

    def __init__(self, grpc_port: int = 0, http_port: int = 0, journal: Path | None = None) -> None:
        """`journal`: where the names of spans are written, before they are acknowledged."""
        self._journal = journal
        self.metadata: list[dict[str, str]] = []
        """What came along with each export."""
        self.refuse = False
        """Answer every export with UNAVAILABLE, or 503."""
        self._spans: list[tuple[Any, Any]] = []
        self._lock = threading.Lock()
        self._grpc = grpc.server(ThreadPoolExecutor(2), options=(("grpc.so_reuseport", 0),))
        add: Any = service_grpc.add_TraceServiceServicer_to_server
        add(_Service(self), self._grpc)
        self.grpc_port = self._grpc.add_insecure_port(f"127.0.0.1:{grpc_port}")
        self._http = ThreadingHTTPServer(("127.0.0.1", http_port), _handler(self))
        self.http_port: int = self._http.server_address[1]

    def __enter__(self) -> Self:
        self._grpc.start()
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._grpc.stop(0).wait()
        self._http.shutdown()
        self._http.server_close()

    @property
    def count(self) -> int:
        """Spans so far."""
        with self._lock:
            return len(self._spans)

    def take(self, request: Any, metadata: Iterable[tuple[str, str]]) -> bool:
        """Keep what an export brings, if it is not to be refused."""
        with self._lock:
            self.metadata.append(dict(metadata))
            if self.refuse:
                return False
            for group in request.resource_spans:
                for scope in group.scope_spans:
                    self._spans += [(group.resource, span) for span in scope.spans]
                    if self._journal is not None:
                        with self._journal.open("a") as file:
                            file.writelines(f"{span.name}\n" for span in scope.spans)
        return True

    def seen(self, trace_id: str) -> list[Seen]:
        """The spans of a trace."""
        with self._lock:
            found = [each for each in self._spans if each[1].trace_id.hex() == trace_id]
        found.sort(key=lambda each: each[1].start_time_unix_nano)
        return [_seen(resource, span) for resource, span in found]


@dataclass(frozen=True)
class OwnCollector:
    """A `Destination`: our own collector."""

    collector: Collector
    protocol: str

    @property
    def endpoint(self) -> str:
        """Of its port for the protocol."""
        own = self.collector
        return f"http://127.0.0.1:{own.grpc_port if self.protocol == 'grpc' else own.http_port}"

    async def trace(self, trace_id: str, spans: int) -> list[Seen]:
        """The spans of a trace."""
        await until(lambda: len(self.collector.seen(trace_id)) >= spans)
        return self.collector.seen(trace_id)


@dataclass(frozen=True)
class Jaeger:
    """A `Destination`: Jaeger, by its query API."""

    endpoint: str
    protocol: str
    query: str

    async def trace(self, trace_id: str, spans: int) -> list[Seen]:
        """The spans of a trace."""
        deadline = time.monotonic() + DEADLINE
        async with httpx.AsyncClient(base_url=self.query, trust_env=False) as client:
            while True:
                answer = await client.get(f"/api/traces/{trace_id}")
                if answer.status_code == 200:
                    found = _of_jaeger(answer.json()["data"])
                    if len(found) >= spans or time.monotonic() > deadline:
                        return found
                assert time.monotonic() < deadline, f"no such trace: {answer.text}"
                await asyncio.sleep(0.1)


def _of_jaeger(traces: list[Any]) -> list[Seen]:
    found = []
    for trace in traces:
        for span in sorted(trace["spans"], key=lambda each: each["startTime"]):
            tags = {tag["key"]: tag["value"] for tag in span["tags"]}
            process = trace["processes"][span["processID"]]
            resource = {tag["key"]: tag["value"] for tag in process.get("tags", ())}
            parents = [each["spanID"] for each in span.get("references", ())]
            fields = [
                {field["key"]: field["value"] for field in log["fields"]}
                for log in span.get("logs") or ()
            ]
            found.append(
                Seen(
                    span["operationName"],
                    span["spanID"],
                    parents[0] if parents else "",
                    tags.get("span.kind", "internal"),
                    tags.get("error") in (True, "true"),
                    tags,
                    {**resource, "service.name": process["serviceName"]},
                    tuple(str(each.get("event", "")) for each in fields),
                )
            )
    return found


def _seen(resource: Any, span: Any) -> Seen:
    return Seen(
        span.name,
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _KINDS[span.kind],
        span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        _plain(span.attributes),
        _plain(resource.attributes),
        tuple(event.name for event in span.events),
    )


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


class _Service(service_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - as the proto calls it
        if not self._collector.take(request, context.invocation_metadata()):
            context.abort(grpc.StatusCode.UNAVAILABLE, "full")
        return service.ExportTraceServiceResponse()


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = service.ExportTraceServiceRequest.FromString(body)
            headers = [(name.lower(), value) for name, value in self.headers.items()]
            known = self.path == "/v1/traces"
            taken = known and collector.take(request, headers)
            self.send_response(200 if taken else 503 if known else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: a test says itself what is wrong."""

    return Handler


def _main(grpc_port: str, http_port: str, journal: str) -> None:
    with Collector(int(grpc_port), int(http_port), Path(journal)):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
