"""Sends HTTP/1.1 over keep-alive connections, one call at a time on each.

Written on asyncio's transports and httptools, because a client library would need more CPU per call
than the servers that it is to measure; uvloop and httptools are there anyway.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING, cast

import httptools

from tests.bench.load.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.load.call import Sent
    from tests.bench.load.round import Outcome, Round


async def load(wanted: Round, calls: Sequence[Sent]) -> Outcome:
    """Run one round.

    Raises:
        OSError: the server does not take a connection.
    """
    loop = asyncio.get_running_loop()
    tally = Tally(wanted)
    raw = cycle([render(call, wanted.port) for call in calls])
    gap = wanted.connections / wanted.rate if wanted.rate else 0.0
    connections = []
    try:
        for number in range(wanted.connections):
            first = loop.time() + gap * number / wanted.connections
            make = partial(_Connection, tally, raw, gap, first)
            _, connection = await loop.create_connection(make, "127.0.0.1", wanted.port)
            connections.append(connection)
        for connection in connections:
            connection.begin()
        return await tally.run()
    finally:
        for connection in connections:
            connection.close()


def render(call: Sent, port: int) -> bytes:
    """The call as it goes over the wire."""
    lines = [f"{call.method} {call.path} HTTP/1.1", f"host: 127.0.0.1:{port}"]
    if call.token:
        lines.append(f"authorization: Bearer {call.token}")
    lines += [f"{name}: {value}" for name, value in call.headers]
    if call.body:
        lines += ["content-type: application/json", f"content-length: {len(call.body)}"]
    return "\r\n".join([*lines, "accept: */*", "", ""]).encode() + call.body


class _Connection(asyncio.Protocol):
    """One connection; httptools calls it when an answer is whole."""

    def __init__(self, tally: Tally, raw: Iterator[bytes], gap: float, at: float) -> None:
        self._tally = tally
        self._raw = raw
        self._gap = gap
        self._at = at
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._began = 0.0
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._tally.over:
            self._tally.answered(self._began, f"the connection was lost: {error}")

    def on_body(self, body: bytes) -> None:
        self._body = body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        error = "" if status == 200 else f"{status}: {self._body[:300]!r}"
        self._tally.answered(self._began, error)
        if not self._tally.over:
            self.begin()

    def begin(self) -> None:
        """Send the next call, when it is its turn."""
        if self._gap:
            self._at += self._gap
            self._loop.call_at(self._at, self._send)
        else:
            self._send()

    def close(self) -> None:
        """Send no more."""
        if self._transport is not None:
            self._transport.abort()

    def _send(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._began = perf_counter()
            self._transport.write(next(self._raw))
