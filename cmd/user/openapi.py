"""The OpenAPI document of the service, without starting it: nothing is opened or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from internal.user.data import SqlPolicySource
from pkg.database import Database
from pkg.jwt import Key, KeyRing
from pkg.redis import open_redis
from user.app import site_of
from user.graph import build
from user.process import make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from internal.user.server.settings import UserSettings
    from pkg.rpc.registry import Registry


def openapi_document(settings: UserSettings, registry: Registry) -> Mapping[str, Any]:
    """What the service serves, in the profile of the settings."""
    database = Database(settings.database, data_dir=settings.data.dir)
    process = make(
        settings,
        registry,
        CollectorRegistry(),
        keys=KeyRing([Key("none", "HS256", b"", b"")]),  # nobody is served, so nothing is signed
        load_policies=SqlPolicySource(database).load,
    )
    graph = build(process, database, open_redis(settings.redis, "redis://127.0.0.1"))
    return site_of(process, graph).document()
