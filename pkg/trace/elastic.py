"""Spans of Elasticsearch requests: which endpoint, for how long, over all tries, and the status.

    AsyncElasticsearch(hosts, transport_class=TracedTransport)

The client brings spans of its own, but takes them from OpenTelemetry's global provider, which this
process has not set; they record nothing. Bodies are never kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elastic_transport import AsyncTransport, HttpHeaders, TransportApiResponse

from pkg.trace.propagation import inject
from pkg.trace.span import Leaf, current_span

if TYPE_CHECKING:
    from pkg.trace.span import Value


class TracedTransport(AsyncTransport):
    """The client's transport, with a span around each request whose trace is recorded."""

    async def perform_request(  # type: ignore[override]  # the same arguments, named once
        self, method: str, target: str, **options: Any
    ) -> TransportApiResponse:
        """Send a request; what it fails with is noted and raised."""
        if current_span.get() is None:
            return await super().perform_request(method, target, **options)
        endpoint = getattr(options.get("otel_span"), "endpoint_id", None) or method
        about: dict[str, Value] = {
            "db.system.name": "elasticsearch",
            "db.operation.name": endpoint,
            "http.request.method": method,
        }
        with Leaf(endpoint, "client", about) as span:
            carried: dict[str, str] = {}
            inject(carried, span)
            headers = HttpHeaders(options.pop("headers", None) or {})
            headers.update(carried)
            response = await super().perform_request(method, target, headers=headers, **options)
            status = response.meta.status
            if span is not None:
                span.set("http.response.status_code", status)
                if status >= 400:
                    span.set("error.type", str(status))
                    span.fail(str(status))
            return response
