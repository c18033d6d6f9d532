"""grpc.aio with protobuf's own messages, without any interceptor.

python -m tests.bench.peers.bare_grpc_aio [native]     native: by pygrpc-native's server
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import grpc
import grpc.aio
import pygrpc_native.aio
import uvloop

from api.lab.descriptors import descriptor_set
from pkg.proto.schema import Schema
from tests.bench.process import ready


async def put(request: Any, _context: Any) -> Any:
    """Give it back."""
    return request


async def serve(server: Any) -> None:
    """Serve until SIGTERM."""
    message: Any = Schema(descriptor_set()).message("lab.bench.v1.Order")
    handler = grpc.unary_unary_rpc_method_handler(
        put,
        request_deserializer=message.FromString,
        response_serializer=message.SerializeToString,
    )
    # What is added otherwise, pygrpc-native leaves to a grpc.aio server behind it.
    server.add_registered_method_handlers("lab.bench.v1.BenchService", {"Put": handler})
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    ready(grpc=port)
    await stopped.wait()
    await server.stop(None)


async def main() -> None:
    """Choose the server, inside the loop that it belongs to."""
    await serve(pygrpc_native.aio.server() if sys.argv[1:] == ["native"] else grpc.aio.server())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
