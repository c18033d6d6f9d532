"""What each layer of the chain costs, one after another, and what the usual library costs there.

    ./pants run tests/bench:layers
    ./pants run tests/bench:layers -- --rounds 1 --json result.json

The chain is that of the user service, on a real Redis and with a real exporter. It is composed as
far as each layer in turn, around a handler that does nothing, and called many times at a time; what
a layer costs is what it adds. Times are CPU time of this process, exporting thread and all, in the
best round. Beside it stand PyJWT, casbin, redis-py and others, as their documentation uses them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from time import process_time
from typing import TYPE_CHECKING, Any, Final

import redis.asyncio
import uvloop

from pkg.http.headers import Headers
from pkg.http.incoming import Incoming, reader
from pkg.http.outgoing import send_reply
from pkg.http.profile import profile_of
from pkg.rpc import Call, compose
from tests.bench.backends import backends
from tests.bench.chain import assembled
from tests.bench.gates import Report
from tests.bench.options import parser, run
from tests.bench.peers import naive_parts
from tests.bench.peers.order import Order as Model
from tests.bench.people import People, Person, body, order

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from pkg.rpc import Handler
    from tests.bench.chain import Assembled

    Layer = Callable[[], Awaitable[Any]]

AT_ONCE: Final = 16
ORDER: Final = "lab.bench.v1.Order"
SERVICE: Final = "lab.bench.v1.BenchService"


def ours(made: Assembled, token: str) -> dict[str, Layer]:
    """The chain as far as each of its layers, and what stands around it."""
    operation = made.registry.operations(SERVICE)["Put"]
    headers = [(b"authorization", f"Bearer {token}".encode())]
    read = reader(made.registry, operation.request, operation.rules[0])
    raw, reply = body(1), order(1)
    profile, dump = profile_of("envelope", made.registry), made.registry.json_out.dumper(ORDER)

    async def nothing(_call: Call, _payload: Any) -> Any:
        return reply

    async def sent(_message: Any) -> None:
        return None

    def call() -> Call:
        return Call("http", operation, Headers(headers), "127.0.0.1", "en", os.urandom(16).hex())

    layers: dict[str, Layer] = {}
    for count, name in enumerate(("nothing", *made.names)):
        handler = compose(made.chain[:count], nothing, operation)

        def layer(handler: Handler = handler) -> Awaitable[Any]:
            return handler(call(), Incoming(read, raw, b"", {}))

        layers[name] = layer

    async def answer() -> None:
        given = call()
        await send_reply(sent, profile.success(dump(reply), given), given)

    layers["JSON reply"] = answer
    return layers


def usual(directory: Path, people: People, token: str, redis_url: str) -> dict[str, Layer]:
    """What the naive stack does, by the layer of ours that does the same."""
    access, policies = naive_parts.Access(people.secret), naive_parts.Policies()
    client: Any = redis.asyncio.from_url(redis_url)
    limit, calls = naive_parts.Limit(client), naive_parts.Calls()
    with (directory / "naive.log").open("w") as out:
        logger = naive_parts.json_logger(os.fdopen(os.dup(out.fileno()), "w"))
    raw = body(1)

    async def authenticated() -> None:
        access.claims(f"Bearer {token}")

    async def authorized() -> None:
        policies.allow("user", "/v1/bench/orders", "POST")

    async def measured() -> None:
        calls.observe("POST", "/v1/bench/orders", 200, 0.001)

    async def logged() -> None:
        logger.info("request", extra={"path": "/v1/bench/orders", "ms": 0.5})

    async def validated() -> None:
        Model.model_validate_json(raw)

    async def limited() -> None:
        await limit.allows("user-0")

    return {
        "metrics": measured,
        "log": logged,
        "authentication": authenticated,
        "authorization": authorized,
        "validation": validated,
        "a limit in Redis": limited,
    }


async def cost(layer: Layer, count: int) -> float:
    """Microseconds of CPU per call."""

    async def some() -> None:
        for _ in range(count // AT_ONCE):
            await layer()
            # A server turns to its sockets between two calls, and records are written then.
            await asyncio.sleep(0)

    began = process_time()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return (process_time() - began) / (count // AT_ONCE * AT_ONCE) * 1e6


async def measure(options: argparse.Namespace, directory: Path) -> Report:
    """All layers, in turn."""
    async with AsyncExitStack() as held:
        people = People(directory)
        where = await held.enter_async_context(backends(directory))
        made = await held.enter_async_context(assembled(directory, where, people))
        token = people.token(Person("user-0"))
        field = {"ours": ours(made, token), "usual": usual(directory, people, token, where.redis)}
        best: dict[str, dict[str, float]] = {side: {} for side in field}
        for _ in range(options.rounds):
            for side, layers in field.items():
                for name, layer in layers.items():
                    took = await cost(layer, options.calls)
                    best[side][name] = min(took, best[side].get(name, took))
    added = _added(best["ours"], made.names)
    print(f"{'CPU us':<20}{'ours':>9}{'usual':>9}")
    for name in dict.fromkeys((*added, *best["usual"])):
        cells = (
            f"{side[name]:>9.1f}" if name in side else f"{'-':>9}"
            for side in (added, best["usual"])
        )
        print(f"{name:<20}{''.join(cells)}")
    print(f"{'the whole chain':<20}{best['ours'][made.names[-1]]:>9.1f}")
    return Report("layers", [], {"ours": added, "usual": best["usual"], "upto": best["ours"]})


def _added(upto: dict[str, float], names: Sequence[str]) -> dict[str, float]:
    added = {"nothing": upto["nothing"]}
    for before, name in zip(("nothing", *names), names, strict=False):
        added[name] = upto[name] - upto[before]
    return {**added, "JSON reply": upto["JSON reply"]}


def main(arguments: Sequence[str]) -> int:
    """Exit status 0; 2 where nothing was measured."""
    made = parser(__doc__, seconds=0, rounds=5)
    made.add_argument("--calls", type=int, default=4000, help="per layer and round")
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return run(made.parse_args(arguments), measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
