"""Litestar without any middleware."""
# Litestar reads the annotations at run time.

from litestar import Litestar, post

from tests.bench.peers.asgi_server import serve
from tests.bench.peers.order import Order


@post("/v1/bench/orders", status_code=200)
async def put(data: Order) -> Order:
    """Give it back."""
    return data


if __name__ == "__main__":
    serve(lambda: Litestar([put], openapi_config=None))
