"""One request that came in one piece, and its answer: what uvicorn's cycle does, with less of it.

Most requests of an API are read by one `recv`, and are answered by one `send` of the application.
For those there is nothing to wait for and nothing to put together later: the body is handed over as
it came, and status, headers and body leave in one write, which is one packet and one system call
where uvicorn needs two. Every other answer (chunked, in pieces, to HEAD, longer or shorter than it
says) is uvicorn's own cycle, from the first byte on.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGIReceiveEvent,
        ASGISendEvent,
        HTTPResponseStartEvent,
        HTTPScope,
    )
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_CONTROLS: Final = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])
"""What no header may have within its line: every control character but the tab."""

_LENGTH: Final = b"content-length"
_FRAMING: Final = frozenset({b"connection", b"transfer-encoding"})
_LINE: Final = b": ".join

_WITHOUT_BODY: Final = frozenset({204, 304})


class Exchange(RequestResponseCycle):
    """Serves one request whose body is there, and keeps the connection's state for uvicorn.

    Its attributes are those of uvicorn's cycle, whose `__init__` is left out: what is the same for
    every such request is the class's.
    """

    access_log = False
    chunked_encoding: bool | None = None
    disconnected = False
    expected_content_length = 0
    response_complete = False
    response_started = False
    waiting_for_100_continue = False

    def __init__(
        self, protocol: HttpToolsProtocol, scope: HTTPScope, body: bytes, *, keep_alive: bool
    ) -> None:
        """`body`: the whole of it."""
        self.scope = scope
        self.keep_alive = keep_alive
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.logger = protocol.logger
        self.default_headers = protocol.server_state.default_headers
        self.on_response = protocol.on_response_complete
        self._body: bytes | None = body
        self._start: HTTPResponseStartEvent | None = None
        self._event: asyncio.Event | None = None

    @property
    def message_event(self) -> asyncio.Event:
        """Set when the client has left, or the answer is complete; few ever wait for it."""
        if self._event is None:
            self._event = asyncio.Event()
            if self.disconnected or self.response_complete:
                self._event.set()
        return self._event

    @message_event.setter
    def message_event(self, event: asyncio.Event) -> None:
        self._event = event

    async def receive(self) -> ASGIReceiveEvent:
        """The body, then, when it comes to that, that the client has left."""
        body = self._body
        if body is not None and not (self.disconnected or self.response_complete):
            self._body = None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.message_event.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: ASGISendEvent) -> None:
        """Hold the start back until there is a body, as ASGI wants it, and send both at once."""
        start = self._start
        if start is None:
            if message["type"] == "http.response.start" and not self.response_started:
                self._start = message
            else:
                await super().send(message)
            return
        if message["type"] != "http.response.body":
            raise RuntimeError(f"A body is due, not '{message['type']}'.")
        self._start = None
        long = message.get("more_body", False) or self.flow.write_paused or self.disconnected
        if long or not self._send_whole(start, message.get("body", b"")):
            await super().send(start)
            await super().send(message)

    async def send_500_response(self) -> None:
        """Say that the application broke; what it had begun to say was not sent."""
        self._start = None
        await super().send_500_response()

    def _send_whole(self, start: HTTPResponseStartEvent, body: bytes) -> bool:
        """Send an answer whose length is told; False, and nothing is sent, if it is another."""
        status = start["status"]
        if status in _WITHOUT_BODY or self.scope["method"] == "HEAD":
            return False
        headers = [*self.default_headers, *start.get("headers", ())]
        names, values = zip(*headers, strict=True) if headers else ((), ())
        place = _length_among(names)
        if place is None or values[place] != b"%d" % len(body):
            return False
        head = b"\r\n".join(map(_LINE, headers))
        if len(head) - len(head.translate(None, _CONTROLS)) != 2 * len(headers) - 2:
            raise RuntimeError("Invalid HTTP header value.")
        end = b"\r\n\r\n" if self.keep_alive else b"\r\nconnection: close\r\n\r\n"
        whole = b"".join((STATUS_LINE[status], head, end, body))
        self.response_started = self.response_complete = True
        self.transport.write(whole)
        if self._event is not None:
            self._event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
        return True


@lru_cache(maxsize=1024)
def _length_among(names: tuple[bytes, ...]) -> int | None:
    """Where Content-Length stands among headers that frame an answer by it alone; None in others.

    Names that are not in lower case are others too. Few different ones are ever asked for: what
    answers have headers for is written in code.

    Raises:
        RuntimeError: there is one that is no name.
    """
    if any(map(HEADER_RE.search, names)):
        raise RuntimeError("Invalid HTTP header name.")
    if names.count(_LENGTH) != 1 or not _FRAMING.isdisjoint(names):
        return None
    return names.index(_LENGTH) if all(name == name.lower() for name in names) else None
