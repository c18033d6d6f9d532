"""A stream of replies as server-sent events (`text/event-stream`, of the HTML standard).

    data: {"name":"a"}          a reply: the message as JSON, what other answers have as their data

    event: error                the stream has failed; it ends with this
    data: {"code":…}            the refusal, as the profile has it

    :                           a sign of life

The answer begins with its first event, or first sign of life; what is refused before that is an
ordinary answer with a status of its own. An event is sent when the connection takes it: a client
that reads slowly slows the service's iterator down.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from pkg.errors import Fault
from pkg.http.body import ClientGone
from pkg.http.gone import WhileThere
from pkg.http.outgoing import content_language, encoded, failure
from pkg.proto.json_out import JSON_OPTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import timedelta

    from pkg.clock import Pause
    from pkg.http.asgi import Receive, Scope, Send
    from pkg.http.endpoint import ReadRequest
    from pkg.http.headers import Headers
    from pkg.http.profile import Profile
    from pkg.rpc.call import Call
    from pkg.rpc.chain import Handler
    from pkg.rpc.operation import Operation

_LOG: Final = logging.getLogger(__name__)

_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
)
_ALIVE: Final = b":\n\n"


class EventStream:
    """The answer of one call."""

    def __init__(self, send: Send, call: Call) -> None:
        self.begun = False
        """Whether the client has got something: from then on no other answer is possible."""
        self._send = send
        self._call = call
        self._one_at_a_time = asyncio.Lock()

    async def write(self, text: bytes, *, last: bool = False) -> None:
        """Send a piece; before the first one, status and headers."""
        async with self._one_at_a_time:
            if not self.begun:
                self.begun = True
                headers = [*_HEADERS, content_language(self._call)]
                headers += encoded(self._call.reply_headers)
                await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            piece = {"type": "http.response.body", "body": text, "more_body": not last}
            await self._send(piece)


class EventsEndpoint:
    """One google.api.http binding of an RPC that has many replies."""

    __slots__ = ("_dump", "_handler", "_heartbeat", "_pause", "_profile", "_read", "operation")

    def __init__(
        self,
        operation: Operation,
        handler: Handler,
        read: ReadRequest,
        dump: Callable[[Any], Any],
        profile: Profile,
        *,
        heartbeat: timedelta,
        pause: Pause,
    ) -> None:
        """Serve the operation.

        Args:
            operation: that is served.
            handler: the composed chain.
            read: the request.
            dump: makes of a reply message what orjson takes.
            profile: writes refusals.
            heartbeat: between two signs of life.
            pause: lets that time pass.
        """
        self.operation = operation
        self._handler = handler
        self._read = read
        self._dump = dump
        self._profile = profile
        self._heartbeat = heartbeat
        self._pause = pause

    async def serve(
        self,
        call: Call,
        headers: Headers,
        variables: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer with an event for each reply. A client that leaves cancels the handler."""
        incoming = await self._read(headers, variables, scope, receive)
        stream = EventStream(send, call)

        async def put(message: Any) -> None:
            data = orjson.dumps(self._dump(message), option=JSON_OPTIONS)
            await stream.write(b"data: %b\n\n" % data)

        call.send = put
        try:
            async with WhileThere(receive), self._alive(stream):
                await self._handler(call, incoming)
        except ClientGone:
            raise
        except Exception as error:
            if not stream.begun:
                raise
            if not isinstance(error, Fault):
                _LOG.error("%s: a stream broke off", call.operation.name, exc_info=error)
            body = failure(self._profile, error, call).body
            await stream.write(b"event: error\ndata: %b\n\n" % body, last=True)
        else:
            await stream.write(b"", last=True)

    @asynccontextmanager
    async def _alive(self, stream: EventStream) -> AsyncIterator[None]:
        async def beat() -> None:
            while True:
                await self._pause(self._heartbeat)
                await stream.write(_ALIVE)

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.wait((beating,))
