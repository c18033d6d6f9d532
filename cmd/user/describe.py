"""What can be told of the service without starting it: nothing is opened or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from internal.user.data import SqlPolicySource
from internal.user.server.operations import operations_of
from pkg.database import Database
from pkg.jwt import Key, KeyRing
from pkg.log import Identity
from pkg.middleware.effective import effective
from pkg.redis import open_redis
from pkg.service import Standard, service_bus
from user.app import site_of
from user.graph import build
from user.process import SERVICE, VERSION, make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from internal.user.server.settings import UserSettings
    from pkg.config import Loaded
    from pkg.middleware.effective import Effective
    from pkg.rpc.registry import Registry
    from user.graph import Graph
    from user.process import Process


def openapi_document(loaded: Loaded[UserSettings], registry: Registry) -> Mapping[str, Any]:
    """What the service serves over HTTP, in the profile of the settings."""
    process, graph = _built(loaded, registry)
    return site_of(process, graph).document()


def effective_chain(loaded: Loaded[UserSettings], registry: Registry) -> tuple[Effective, ...]:
    """What stands before each operation, whichever port serves it.

    Raises:
        ConfigError: the settings say of operations what cannot be meant.
    """
    process, graph = _built(loaded, registry)
    internal = operations_of(registry, graph.services.internal())
    operations = (*site_of(process, graph).operations, *internal)
    registry.overrides.require_used(operations)
    return effective(operations, graph.chain.named)


def _built(loaded: Loaded[UserSettings], registry: Registry) -> tuple[Process, Graph]:
    settings = loaded.settings
    redis = open_redis(settings.redis, "redis://127.0.0.1")
    standard = Standard(loaded, Identity(SERVICE, VERSION, settings.env))
    database = Database(settings.database, data_dir=settings.data.dir)
    process = make(
        standard,
        registry,
        keys=KeyRing([Key("none", "HS256", b"", b"")]),  # nobody is served, so nothing is signed
        producer=service_bus(settings.bus, redis, standard.tokens).producer,
        load_policies=SqlPolicySource(database).load,
    )
    return process, build(process, database, redis)
