"""Elasticsearch 8 behind the headers of its client's version 9.

    python3 -m scripts.servers.compatible PORT SERVER_PORT COMMAND...

The client names in `Accept` and `Content-Type` the version whose shapes it means, and a server
refuses one that is newer than itself. Maven Central has the server at 8 only, so this stands before
it and writes `compatible-with=8` where `=9` was. Nothing else is changed of a request, and of an
answer nothing. It starts the command, which is the server, and ends when that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

HEAD_BYTES = 64 * 1024
BODY_BYTES = 64 * 1024


async def forward_requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request after the other, each with its head rewritten."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(head.replace(b"compatible-with=9", b"compatible-with=8"))
        length = 0
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                await forward_chunks(reader, writer)
        while length:
            part = await reader.read(min(length, BODY_BYTES))
            if not part:
                raise asyncio.IncompleteReadError(part, length)
            writer.write(part)
            await writer.drain()
            length -= len(part)
        await writer.drain()


async def forward_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body that is sent without saying before how long it is."""
    size = -1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        writer.write(line + await reader.readexactly(size + 2))
        await writer.drain()


async def forward_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As they come."""
    while True:
        part = await reader.read(BODY_BYTES)
        if not part:
            return
        writer.write(part)
        await writer.drain()


async def serve(port: int, server_port: int, command: list[str]) -> int:
    """Run the server and stand before it; gives the server's exit status."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            try:
                upstream = await asyncio.open_connection("127.0.0.1", server_port)
            except OSError:
                return  # it does not listen yet; neither do we, as far as the client can tell
            with contextlib.closing(upstream[1]):
                ways = [
                    asyncio.ensure_future(forward_requests(reader, upstream[1])),
                    asyncio.ensure_future(forward_answers(upstream[0], writer)),
                ]
                # When one side hangs up, so does the other.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    server = await asyncio.create_subprocess_exec(*command)
    # The server is told to end as we are, being of our group; we end when it has.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    listener = await asyncio.start_server(connection, "127.0.0.1", port, limit=HEAD_BYTES)
    try:
        return await server.wait()
    finally:
        listener.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
