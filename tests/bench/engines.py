"""What a request costs by each engine: CPU of the server's process, engines taking turns.

    ./pants run tests/bench:engines
    ./pants run tests/bench:engines -- --requests 5000 --rounds 5 --json result.json

HTTP is an ASGI application that reads a body of 280 bytes and answers with it; gRPC a unary method
that does the same with bytes: what the engines themselves cost, and nothing of ours. The best round
counts. Clients are another process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import grpc.aio
import uvloop

from pkg.app.engines import http_server
from pkg.grpc import GrpcSettings
from pkg.grpc.serving import engine_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BODY = b"x" * 280
AT_ONCE = 16
ENGINES = {"http": ("uvicorn", "granian"), "grpc": ("aio", "native")}
ECHO = "/bench.Echo/Say"
REQUEST = (
    b"POST / HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body."""
    body = (message := await receive())["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def say(request: bytes, _context: Any) -> bytes:
    """Answer with the request."""
    return request


async def listen(kind: str, engine: Any) -> tuple[int, Any]:
    """Serve; returns the port, and the server, which is to be held."""
    if kind == "http":
        server = http_server(engine, "http", echo, host="127.0.0.1", port=0)
        await server.start()
        return server.port, server
    settings = GrpcSettings(engine=engine, port=0)
    grpc_server, _ = engine_server(settings, {ECHO: grpc.unary_unary_rpc_method_handler(say)})
    port: int = grpc_server.add_insecure_port(settings.address)
    await grpc_server.start()
    return port, grpc_server


async def http_calls(port: int, count: int) -> None:
    """So many requests on one connection, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head.decode())
        await reader.readexactly(len(BODY))
    writer.close()


async def grpc_calls(port: int, count: int) -> None:
    """So many calls on one connection, one after the other."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.unary_unary(ECHO)
        for _ in range(count):
            if await method(BODY) != BODY:
                raise RuntimeError("not the echo")


async def ask(kind: str, port: int, requests: int) -> None:
    """All requests, on several connections at once."""
    calls: Callable[[int, int], Awaitable[None]] = http_calls if kind == "http" else grpc_calls
    await asyncio.gather(*(calls(port, requests // AT_ONCE) for _ in range(AT_ONCE)))


async def measure(kind: str, engine: str, requests: int) -> tuple[float, float]:
    """CPU of this process in µs per request, and requests per second."""
    port, _server = await listen(kind, engine)
    for count in (requests // 10, requests):  # the first warms up
        client = await asyncio.create_subprocess_exec(
            sys.executable, Path(__file__), "--client", f"{kind}:{port}:{count}",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        if client.stdin is None or client.stdout is None:
            raise RuntimeError("no pipes")
        await client.stdout.readline()  # it has imported what it needs
        cpu, began = process_time(), perf_counter()
        client.stdin.write(b"\n")
        await client.stdout.readline()
        cpu, took = process_time() - cpu, perf_counter() - began
        client.stdin.close()
        if await client.wait():
            raise RuntimeError("the client failed")
    return cpu / requests * 1e6, requests / took


def client(kind: str, port: int, requests: int) -> None:
    """The other process: says when it begins and when it has ended."""
    print(flush=True)
    sys.stdin.readline()
    uvloop.run(ask(kind, port, requests))
    print(flush=True)


def main() -> None:
    """Measure each engine in a process of its own, in turns, and print the best rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--server", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client:
        kind, port, count = args.client.split(":")
        client(kind, int(port), int(count))
        return
    if args.server:
        kind, engine = args.server.split(":")
        print(json.dumps(uvloop.run(measure(kind, engine, args.requests))))
        return
    best: dict[str, tuple[float, float]] = {}
    for _ in range(args.rounds):
        for kind, engines in ENGINES.items():
            for engine in engines:
                told = subprocess.run(  # noqa: S603 - this program
                    [sys.executable, __file__, "--server", f"{kind}:{engine}",
                     "--requests", str(args.requests)],
                    check=True, stdout=subprocess.PIPE,
                ).stdout  # fmt: skip
                cpu, rate = json.loads(told)
                known = best.get(f"{kind} {engine}", (float("inf"), 0.0))
                best[f"{kind} {engine}"] = (min(cpu, known[0]), max(rate, known[1]))
    for name, (cpu, rate) in best.items():
        print(f"{name:14} {cpu:7.0f} µs CPU per request {rate:8.0f} requests/s")
    for kind, (usual, other) in ENGINES.items():
        ratio = best[f"{kind} {usual}"][0] / best[f"{kind} {other}"][0]
        print(f"{kind}: {usual} / {other} = {ratio:.2f}")
    if args.json:
        args.json.write_text(json.dumps(best, indent=2))


if __name__ == "__main__":
    main()
