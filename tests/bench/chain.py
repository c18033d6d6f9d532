"""The chain of the user service in this process, on a graph of its own, without its servers."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from internal.user.consts import ROLE_USER
from internal.user.server.settings import UserSettings
from pkg.config import Sources, load
from pkg.database import Database
from pkg.log import Identity, setup
from pkg.rbac import PolicySet
from pkg.redis import RedisClient
from pkg.rpc.context import log_context
from pkg.rpc.registry import Registry
from pkg.service import Standard, service_bus
from tests.bench.peers.lab_descriptors import descriptor_set
from user.graph import build
from user.process import CONFIGURATION, SERVICE, VERSION, make, signing_keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pkg.rpc import Middleware
    from tests.bench.backends import Backends
    from tests.bench.people import People


@dataclass(frozen=True, slots=True)
class Assembled:
    """What there is to call."""

    registry: Registry
    names: tuple[str, ...]
    """Of the middlewares, the outermost first."""
    chain: tuple[Middleware, ...]


@asynccontextmanager
async def assembled(directory: Path, where: Backends, people: People) -> AsyncIterator[Assembled]:
    """Make it, and let go of it. Users may do whatever BenchService can; lines go to a file."""
    told = {
        "data.dir": str(directory / "layers"),
        "redis.url": where.redis,
        "trace.endpoint": where.otlp,
        "trace.ratio": "0.01",
        "log.format": "json",
        "policies.maxStale": "24h",  # nobody watches them here
        "auth.keys": json.dumps([{"kid": "bench", "secret": people.secret}]),
    }
    sets = [f"{key}={text}" for key, text in told.items()]
    loaded = load(UserSettings, Sources(service=SERVICE, packaged=CONFIGURATION, sets=sets))
    settings = loaded.settings
    registry = Registry.load(descriptor_set())
    operation = registry.operations("lab.bench.v1.BenchService")["Put"]
    identity = Identity(SERVICE, VERSION, settings.env)

    async def policies() -> PolicySet:
        return PolicySet(1, ((ROLE_USER, operation.resource, operation.action),))

    with (
        (directory / "layers.log").open("w", encoding="utf-8") as out,
        setup(settings.log, identity, context=log_context, stream=out) as log,
    ):
        standard = Standard(loaded, identity, log=log)
        keys = signing_keys(settings, standard.tokens)
        redis = RedisClient(settings.redis, where.redis)
        producer = service_bus(settings.bus, redis.client, standard.tokens).producer
        process = make(standard, registry, keys=keys, producer=producer, load_policies=policies)
        database = Database(settings.database, data_dir=settings.data.dir)
        graph = build(process, database, redis.client)
        await standard.tracing.start()
        await process.policies.reload()
        try:
            async with AsyncExitStack() as started:
                watch = process.revocations.watch(redis.client)
                for component in (*process.chains.components, watch):
                    started.push_async_callback(component.stop)
                    await component.start()
                yield Assembled(registry, settings.server.chain, graph.chain.middlewares)
        finally:
            await redis.stop()
            await database.stop()
            await standard.tracing.stop()
