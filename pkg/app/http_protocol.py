"""HTTP/1.1 on a connection: uvicorn's protocol, with a short way for requests that come whole.

What is parsed, refused, queued and closed is uvicorn's. Only a request that one read has brought
completely, on a connection that has no other in work, becomes an `Exchange` instead of a cycle of
uvicorn's: no event, one write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pkg.app.exchange import Exchange

if TYPE_CHECKING:
    import asyncio

    from uvicorn._types import HTTPScope


class HttpProtocol(HttpToolsProtocol):
    """Serves one connection; give the class to `uvicorn.Config` as `http`."""

    _held = False
    """A request's headers are in, its body may not be, and the application knows of neither."""

    _body = b""
    _idle_since = 0.0
    """When the last answer was complete, on the loop's clock; 0 while a request is in work."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._common: dict[str, Any] = {}
        self._long = bool(self.root_path) or self.limit_concurrency is not None
        """Whether every request goes uvicorn's way."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(cast("asyncio.Transport", transport))
        super().on_message_begin()
        self._common = dict(self.scope)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; who serves a request is told."""
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what one read has brought. What it leaves unfinished goes uvicorn's way."""
        super().data_received(data)
        if self._held and not self.transport.is_closing():
            self._hand_over()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. What comes after a body is none: a trailer has no say."""
        if not self._held:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Hold the request until its body is there, where it may be a whole one."""
        self._held = True
        self._body = b""
        if not self._may_be_whole():
            self._hand_over()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._held:
            self._body = self._body + body if self._body else body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Serve the request, unless uvicorn does."""
        if not self._held:
            super().on_message_complete()
            return
        self._held = False
        path, _, query = self.url.partition(b"?")
        text = path.decode("ascii")
        scope = {
            **self._common,
            "method": self.parser.get_method().decode("ascii"),
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        self.cycle = Exchange(
            self,
            cast("HTTPScope", scope),
            self._body,
            keep_alive=self.parser.should_keep_alive(),
        )
        self._start_asgi_task(self.cycle, self.app)

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one, but not for ever.

        One timer serves all the waits of a connection: it looks how long there was nothing to do
        when it fires, instead of being made and cancelled with each request.
        """
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if nothing has come for long enough."""
        self.timeout_keep_alive_task = None
        if self._idle_since:
            left = self._idle_since + self.timeout_keep_alive - self.loop.time()
            if left > 0:
                self._look_after(left)
            else:
                super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = 0.0

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _may_be_whole(self) -> bool:
        """Whether nothing but the body is missing to serve the request at once."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
            and not self._long
            and self.url.startswith(b"/")
            and self.url.isascii()
            and b"#" not in self.url
        )

    def _hand_over(self) -> None:
        """Let uvicorn serve the request, as if it had seen all of it come."""
        self._held = False
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers += headers
        self.expect_100_continue = any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in headers
        )
        super().on_headers_complete()
        if self._body:
            super().on_body(self._body)
