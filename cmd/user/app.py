"""Settings in, running app out: what there is, and in which order it starts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from internal.user.data import DictionaryWatch, SqlPolicySource
from internal.user.server.http import Web, web
from internal.user.server.operations import operations_of
from migrations.user import LOCATION
from pkg.app import Credentials, Periodic
from pkg.app.engines import http_server
from pkg.database import Database, migrate, resolve_url
from pkg.grpc import GrpcServer, Mounted, Mounts
from pkg.rbac import PolicyWatch, RedisNotifier
from pkg.redis import EmbeddedValkey, RedisClient
from pkg.service import service_bus
from user.graph import Graph, build
from user.process import VERSION, make, signing_keys
from user.setup import Setup, seed_operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from internal.user.server.settings import UserSettings
    from pkg.app import App, Component
    from pkg.rpc import Operation
    from pkg.rpc.registry import Registry
    from pkg.service import Standard
    from user.process import Process

_GRPC: Final = "grpc"
"""The loop of gRPC."""
_PURGE: Final = timedelta(hours=1)
"""How often refresh tokens whose time is over are deleted."""


def user_app(standard: Standard[UserSettings], registry: Registry) -> App:
    """The whole service. Nothing is opened or started yet.

    Args:
        standard: what it has in common with every other service.
        registry: of its protos.

    Raises:
        ConfigError: the settings cannot be used as they are; says which and why.
    """
    settings = standard.settings
    valkey, redis_url = _redis(settings)
    database = Database(settings.database, data_dir=settings.data.dir)
    redis = RedisClient(settings.redis, redis_url)
    source = SqlPolicySource(database)
    keys = signing_keys(settings, standard.tokens)
    bus = service_bus(settings.bus, redis.client, standard.tokens)
    process = make(standard, registry, keys=keys, producer=bus.producer, load_policies=source.load)
    graph = build(process, database, redis.client)
    site = site_of(process, graph)
    internal = operations_of(registry, graph.services.internal())
    registry.overrides.require_used((*site.operations, *internal))
    setup = _setup(settings, graph, (*site.operations, *internal))
    grpc = GrpcServer(
        registry, settings.server.grpc, _mounts(process, redis_url), tokens=standard.tokens
    )
    http_settings = settings.server.http
    http = http_server(http_settings.engine, "http", site.asgi, **http_settings.listening())
    components: list[Component] = [
        *([valkey] if valkey else []),
        database,
        redis,
        *bus.components,
        *process.chains.components,
        graph.chain.replies,
        process.hasher,
        graph.challenges,
        setup,
        PolicyWatch(
            process.policies,
            RedisNotifier(redis.client),
            source.version,
            poll=settings.policies.poll,
        ),
        process.revocations.watch(redis.client),
        DictionaryWatch(process.dictionary),
        grpc,
        http,
        Periodic("expired-sessions", graph.sessions.purge, every=_PURGE),
    ]

    def places() -> dict[str, str]:
        return {
            "HTTP": f"http://{http.address}",
            "Docs": f"http://{http.address}/docs" if settings.server.http.docs else "",
            "gRPC": f"{settings.server.grpc.host}:{grpc.port}",
            "Data": f"{database.address}, files in {settings.data.dir.absolute()}",
        }

    def credentials() -> Credentials | None:
        secret = setup.seeded.admin_password
        return Credentials(setup.seeded.admin_name, secret) if secret else None

    return standard.app(
        components,
        ports=lambda: {"http": http.port, "grpc": grpc.port},
        places=places,
        credentials=credentials,
        before_stop=(grpc.drain,),
    )


def site_of(process: Process, graph: Graph) -> Web:
    """The HTTP side on the objects of the main loop."""
    return web(
        process.registry,
        process.standard.settings,
        version=VERSION,
        chain=graph.chain.middlewares,
        services=graph.services,
        tokens=process.standard.tokens,
    )


def _redis(settings: UserSettings) -> tuple[EmbeddedValkey | None, str]:
    """The server to start, if none is configured, and where Redis is to be reached."""
    if settings.redis.url is not None:
        return None, settings.redis.url.get_secret_value()
    valkey = EmbeddedValkey(settings.data.dir / "valkey")
    return valkey, valkey.url


def _setup(settings: UserSettings, graph: Graph, operations: Sequence[Operation]) -> Setup:
    """The schema and the first data, on the main loop."""
    password = settings.seed.admin_password

    async def schema() -> bool:
        url = resolve_url(settings.database.url.get_secret_value(), settings.data.dir)
        return await migrate(url, LOCATION)

    return Setup(
        migrate=schema,
        seed=lambda: graph.seed.run(
            seed_operations(operations),
            admin_name=settings.seed.admin_name,
            admin_password=password.get_secret_value() if password else "",
        ),
    )


def _mounts(process: Process, redis_url: str) -> Mounts:
    """What gRPC's own loop needs: connections of its own, and services on them."""
    settings = process.standard.settings

    @asynccontextmanager
    async def mounts() -> AsyncIterator[Mounted]:
        database = Database(settings.database, data_dir=settings.data.dir)
        redis = RedisClient(settings.redis, redis_url)
        try:
            graph = build(process, database, redis.client, _GRPC)
            services = graph.services
            async with process.standard.another_loop(_GRPC), graph.chain.replies:
                yield Mounted(graph.chain.middlewares, (*services.public(), *services.internal()))
            await graph.challenges.stop()
        finally:
            await redis.stop()
            await database.stop()

    return mounts
