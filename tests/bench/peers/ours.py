"""The user service with BenchService on it: its own settings, process, graph, chain and servers.

What `user.app` puts together is put together here again, because the packaged service has no room
for one more; everything below that comes from where the service has it.

    python -m tests.bench.peers.ours DATA_DIR     settings from the environment, as USER__…
"""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.lab.bench.v1.service import bench_service
from internal.user.data import SqlPolicySource
from internal.user.server.operations import operations_of
from internal.user.server.routes import add_routes
from internal.user.server.settings import UserSettings
from migrations.user import LOCATION
from pkg.app import UvicornServer, run
from pkg.config import Sources, load
from pkg.database import Database, migrate, resolve_url
from pkg.grpc import GrpcServer, Mounted
from pkg.http import HttpApp, profile_of
from pkg.http.cors import cors
from pkg.http.hand_written import adopt, application
from pkg.log import Identity, Redactor, setup
from pkg.proto.schema import sensitive_fields
from pkg.rbac import PolicyWatch, RedisNotifier
from pkg.redis import RedisClient
from pkg.rpc.context import log_context
from pkg.rpc.registry import Registry
from pkg.service import Standard, service_bus
from tests.bench.peers.by_hand import add_order_route
from tests.bench.peers.lab_descriptors import descriptor_set
from tests.bench.peers.no_stack import Bench
from tests.bench.peers.sampled import sample_if_asked
from tests.bench.process import ready
from user.graph import build
from user.process import CONFIGURATION, SERVICE, VERSION, make, signing_keys
from user.setup import Setup, seed_operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.app import App
    from pkg.http.asgi import AsgiApp
    from pkg.rpc import Operation
    from user.graph import Graph
    from user.process import Process


def site(process: Process, graph: Graph) -> tuple[AsgiApp, tuple[Operation, ...]]:
    """The HTTP side, and every operation on it."""
    standard, registry = process.standard, process.registry
    own, services = standard.settings.server.http, graph.services
    http = HttpApp(
        registry,
        graph.chain.middlewares,
        profile_of(own.response_profile, registry),
        tokens=standard.tokens,
        max_body=own.max_body,
    )
    for bound in (*services.public(), bench_service(Bench())):
        http.mount(bound)
    pages = application("bench")
    add_routes(pages, avatar=services.avatar, auth=services.auth, avatar_limit=1 << 20)
    add_order_route(pages)
    adopt(http, pages)
    return cors(http, own.cors), http.operations


def app_of(standard: Standard[UserSettings], registry: Registry) -> App:
    """The whole service."""
    settings = standard.settings
    assert settings.redis.url is not None
    redis_url = settings.redis.url.get_secret_value()
    database = Database(settings.database, data_dir=settings.data.dir)
    redis = RedisClient(settings.redis, redis_url)
    source = SqlPolicySource(database)
    bus = service_bus(settings.bus, redis.client, standard.tokens)
    process = make(
        standard,
        registry,
        keys=signing_keys(settings, standard.tokens),
        producer=bus.producer,
        load_policies=source.load,
    )
    graph = build(process, database, redis.client)
    asgi, operations = site(process, graph)
    internal = operations_of(registry, graph.services.internal())

    async def schema() -> bool:
        url = resolve_url(settings.database.url.get_secret_value(), settings.data.dir)
        return await migrate(url, LOCATION)

    @asynccontextmanager
    async def mounts() -> AsyncIterator[Mounted]:
        own_database = Database(settings.database, data_dir=settings.data.dir)
        own_redis = RedisClient(settings.redis, redis_url)
        try:
            own_graph = build(process, own_database, own_redis.client, "grpc")
            services = own_graph.services
            async with standard.another_loop("grpc"), own_graph.chain.replies:
                yield Mounted(
                    own_graph.chain.middlewares,
                    (*services.public(), *services.internal(), bench_service(Bench())),
                )
            await own_graph.challenges.stop()
        finally:
            await own_redis.stop()
            await own_database.stop()

    grpc = GrpcServer(registry, settings.server.grpc, mounts, tokens=standard.tokens)
    http = UvicornServer("http", asgi, **settings.server.http.listening())
    return standard.app(
        [
            database,
            redis,
            *bus.components,
            *process.chains.components,
            graph.chain.replies,
            process.hasher,
            graph.challenges,
            Setup(
                migrate=schema,
                seed=lambda: graph.seed.run(
                    seed_operations((*operations, *internal)),
                    admin_name=settings.seed.admin_name,
                    admin_password="bench-password-1",
                ),
            ),
            PolicyWatch(
                process.policies,
                RedisNotifier(redis.client),
                source.version,
                poll=settings.policies.poll,
            ),
            process.revocations.watch(redis.client),
            grpc,
            http,
        ],
        ports=lambda: {"http": http.port, "grpc": grpc.port},
        places=lambda: _tell(http.port, grpc.port),
        credentials=lambda: None,
        before_stop=(grpc.drain,),
    )


def _tell(http: int, grpc: int) -> dict[str, str]:
    """Asked for by the banner, which is shown when everything has started."""
    ready(http=http, grpc=grpc)
    return {}


def main(data: Path) -> int:
    """Serve until SIGTERM."""
    told = {"server.http.port": "0", "server.grpc.port": "0", "admin.port": "0"}
    sources = Sources(
        service=SERVICE,
        packaged=CONFIGURATION,
        environ=os.environ,
        sets=[f"{key}={text}" for key, text in {**told, "data.dir": str(data)}.items()],
    )
    loaded = load(UserSettings, sources)
    registry = Registry.load(descriptor_set())
    sensitive = sensitive_fields(registry.schema)
    redactor = Redactor(sensitive, max_text=loaded.settings.log.max_value)
    identity = Identity(SERVICE, VERSION, loaded.settings.env)
    with setup(loaded.settings.log, identity, context=log_context, redactor=redactor) as log:
        standard = Standard(loaded, identity, sensitive=sensitive, log=log)
        return run(app_of(standard, registry))


if __name__ == "__main__":
    sample_if_asked()
    sys.exit(main(Path(sys.argv[1])))
