"""Takes spans by OTLP over gRPC and throws them away; where Jaeger is not at hand."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import grpc
import grpc.aio

from tests.bench.process import ready


async def export(_request: bytes, _context: Any) -> bytes:
    """An empty ExportTraceServiceResponse: everything was taken."""
    return b""


async def main() -> None:
    """Serve until SIGTERM."""
    handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    name = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    ready(grpc=port)
    await stopped.wait()
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(main())
