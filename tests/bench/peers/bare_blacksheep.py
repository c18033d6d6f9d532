"""BlackSheep without any middleware."""
# BlackSheep reads the annotations at run time.

from blacksheep import Application
from blacksheep.server.routing import Router

from tests.bench.peers.asgi_server import serve
from tests.bench.peers.order import Order


def make() -> Application:
    """The app, with a router of its own."""
    router = Router()
    app = Application(router=router)

    @router.post("/v1/bench/orders")
    async def put(data: Order) -> Order:
        return data

    return app


if __name__ == "__main__":
    serve(make)
