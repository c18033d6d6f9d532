"""Our own HTTP and JSON with the rules of the proto, and nothing of the stack around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.lab.bench.v1.service import bench_service
from pkg.app.http_protocol import HttpProtocol
from pkg.http import HttpApp, profile_of
from pkg.middleware import validation
from pkg.rpc.registry import Registry
from pkg.tokens import SystemTokens
from tests.bench.peers.asgi_server import serve
from tests.bench.peers.lab_descriptors import descriptor_set

if TYPE_CHECKING:
    from api.lab.bench.v1 import Order
    from pkg.rpc import Call


class Bench:
    """Gives orders back."""

    async def put(self, request: Order, _call: Call) -> Order:
        """Give it back."""
        return request


def app() -> HttpApp:
    """One route."""
    registry = Registry.load(descriptor_set())
    made = HttpApp(
        registry, (validation(),), profile_of("envelope", registry), tokens=SystemTokens()
    )
    made.mount(bench_service(Bench()))
    return made


if __name__ == "__main__":
    serve(app, HttpProtocol)
