"""grpclib with betterproto2, as its compiler would generate the service."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import TYPE_CHECKING, Any

import grpclib.const
import grpclib.server
import uvloop

from api.lab.bench.v1 import Order
from tests.bench.process import ready

if TYPE_CHECKING:
    from collections.abc import Mapping


class BenchService:
    """One unary method."""

    async def put(self, stream: Any) -> None:
        """Give it back."""
        request = await stream.recv_message()
        await stream.send_message(request)

    def __mapping__(self) -> Mapping[str, grpclib.const.Handler]:
        return {
            "/lab.bench.v1.BenchService/Put": grpclib.const.Handler(
                self.put, grpclib.const.Cardinality.UNARY_UNARY, Order, Order
            )
        }


async def main() -> None:
    """Serve until SIGTERM."""
    sock = socket.create_server(("127.0.0.1", 0))
    server = grpclib.server.Server([BenchService()])
    await server.start(sock=sock)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)
    ready(grpc=sock.getsockname()[1])
    await server.wait_closed()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
