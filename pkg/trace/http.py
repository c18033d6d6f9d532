"""Outgoing HTTP: the trace goes along, and each request is a span where it is recorded.

    httpx.AsyncClient(transport=TracedTransport(httpx.AsyncHTTPTransport()))

A span ends with the head of the answer. It knows method, host, port and status: a path or a query
may hold what is nobody's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from pkg.trace.propagation import inject
from pkg.trace.span import Leaf

if TYPE_CHECKING:
    from pkg.trace.span import Value


class TracedTransport(httpx.AsyncBaseTransport):
    """Any transport of httpx, with the trace in the headers of what it sends."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; a status from 400 on fails the span, not the call."""
        about: dict[str, Value] = {
            "http.request.method": request.method,
            "server.address": request.url.host,
        }
        if request.url.port is not None:
            about["server.port"] = request.url.port
        with Leaf(request.method, "client", about) as span:
            carried: dict[str, str] = {}
            inject(carried, span)
            request.headers.update(carried)
            response = await self._inner.handle_async_request(request)
            if span is not None:
                span.set("http.response.status_code", response.status_code)
                if response.status_code >= 400:
                    span.set("error.type", str(response.status_code))
                    span.fail(str(response.status_code))
            return response

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()
