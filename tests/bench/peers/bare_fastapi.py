"""FastAPI without any middleware."""
# FastAPI reads the annotations at run time.

from fastapi import FastAPI

from tests.bench.peers.asgi_server import serve
from tests.bench.peers.order import Order


def make() -> FastAPI:
    """The app."""
    app = FastAPI(openapi_url=None)

    @app.post("/v1/bench/orders")
    async def put(order: Order) -> Order:
        return order

    @app.post("/v1/bench/shops/{shop}/orders")
    async def put_to(shop: str, order: Order) -> Order:
        order.shop = shop
        return order

    return app


if __name__ == "__main__":
    serve(make)
