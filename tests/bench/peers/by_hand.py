"""The same order on a hand-written FastAPI route."""
# FastAPI reads the annotations at run time.

from fastapi import FastAPI

from internal.user.consts import ROLE_USER
from pkg.http.current_call import CurrentCall
from pkg.http.hand_written import declares
from pkg.rpc import Operation
from tests.bench.peers.order import Order


def add_order_route(app: FastAPI) -> None:
    """Put `/v1/bench/by-hand` on the app."""

    @app.post("/v1/bench/by-hand")
    @declares(Operation("lab.bench.v1.ByHand/Put", grant=(ROLE_USER,)))
    async def put(order: Order, call: CurrentCall) -> Order:
        """Give it back; signed in and permitted, as the proto route is."""
        assert call.caller.role
        return order
