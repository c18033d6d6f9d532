"""Settings in, running app out: what there is, and in which order it starts."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from internal.user.data import DictionaryWatch, SqlPolicySource
from internal.user.server.http import Web, web
from internal.user.server.operations import operations_of
from migrations.user import LOCATION
from pkg.admin import AdminApp, AdminServer
from pkg.app import App, Banner, Credentials, Health, Hooks, Periodic, UvicornServer, show
from pkg.config import redacted
from pkg.config.watcher import Watcher
from pkg.database import Database, migrate, resolve_url
from pkg.grpc import GrpcServer, Mounted, Mounts
from pkg.metrics import LoopLag
from pkg.rbac import PolicyWatch, RedisNotifier
from pkg.redis import EmbeddedValkey, RedisClient
from pkg.tokens import SystemTokens
from user.graph import GRPC, MAIN, Graph, build
from user.process import SERVICE, VERSION, Process, make, signing_keys
from user.setup import Setup, seed_operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from internal.user.server.settings import UserSettings
    from pkg.app import Component
    from pkg.config import Loaded
    from pkg.log import LogHandle
    from pkg.rpc import Operation
    from pkg.rpc.registry import Registry

_PURGE: Final = timedelta(hours=1)
"""How often refresh tokens whose time is over are deleted."""


def user_app(loaded: Loaded[UserSettings], registry: Registry, log: LogHandle) -> App:
    """The whole service. Nothing is opened or started yet.

    Raises:
        ConfigError: the settings cannot be used as they are; says which and why.
    """
    settings = loaded.settings
    metrics = _metrics()
    valkey, redis_url = _redis(settings)
    database = Database(settings.database, data_dir=settings.data.dir)
    redis = RedisClient(settings.redis, redis_url)
    source = SqlPolicySource(database)
    keys = signing_keys(settings, SystemTokens())
    process = make(settings, registry, metrics, keys=keys, load_policies=source.load)
    graph = build(process, database, redis.client)
    site = site_of(process, graph)
    internal = operations_of(registry, graph.services.internal())
    setup = _setup(settings, graph, (*site.operations, *internal))
    grpc = GrpcServer(
        registry, settings.server.grpc, _mounts(process, redis_url), tokens=process.tokens
    )
    http = UvicornServer("http", site.asgi, **settings.server.http.listening())
    watcher = Watcher(loaded, registry=metrics)

    async def follow_levels(_: UserSettings, now: UserSettings) -> None:
        log.apply(now.log)

    watcher.subscribe(follow_levels)
    components: list[Component] = [
        process.tracing,
        LoopLag(MAIN, process.loop_lag),
        *([valkey] if valkey else []),
        database,
        redis,
        process.hasher,
        graph.challenges,
        setup,
        PolicyWatch(
            process.policies,
            RedisNotifier(redis.client),
            source.version,
            poll=settings.policies.poll,
        ),
        DictionaryWatch(process.dictionary),
        watcher,
        Periodic("expired-sessions", graph.sessions.purge, every=_PURGE),
        grpc,
        http,
    ]
    health = Health(components, clock=process.clock, timeout=settings.lifecycle.check_timeout)
    admin = AdminServer(
        AdminApp(health=health, registry=metrics, config=lambda: redacted(watcher.settings)),
        settings.admin,
    )

    async def announce() -> None:
        seeded = setup.seeded
        places = {
            "HTTP": f"http://{http.address}",
            "Docs": f"http://{http.address}/docs" if settings.server.http.docs else "",
            "gRPC": f"{settings.server.grpc.host}:{grpc.port}",
            "Admin": f"http://{admin.address}",
            "Data": f"{database.address}, files in {settings.data.dir.absolute()}",
            "Config": loaded.origin,
        }
        secret = seeded.admin_password
        first = Credentials(seeded.admin_name, secret) if secret else None
        show(
            Banner(
                service=SERVICE,
                version=VERSION,
                env=settings.env,
                places=places,
                credentials=first,
            ),
            sys.stderr,
        )

    return App(
        SERVICE,
        VERSION,
        [admin, *components],
        clock=process.clock,
        start_timeout=settings.lifecycle.start_timeout,
        stop_timeout=settings.lifecycle.stop_timeout,
        drain_delay=settings.lifecycle.drain_delay,
        hooks=Hooks(after_start=(announce,), before_stop=(grpc.drain,)),
        health=health,
    )


def site_of(process: Process, graph: Graph) -> Web:
    """The HTTP side on the objects of the main loop."""
    return web(
        process.registry,
        process.settings,
        version=VERSION,
        chain=graph.chain,
        services=graph.services,
        tokens=process.tokens,
    )


def _metrics() -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


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
    settings = process.settings

    @asynccontextmanager
    async def mounts() -> AsyncIterator[Mounted]:
        database = Database(settings.database, data_dir=settings.data.dir)
        redis = RedisClient(settings.redis, redis_url)
        try:
            graph = build(process, database, redis.client, GRPC)
            services = graph.services
            async with LoopLag(GRPC, process.loop_lag):
                yield Mounted(graph.chain, (*services.public(), *services.internal()))
            await graph.challenges.stop()
        finally:
            await redis.stop()
            await database.stop()

    return mounts
