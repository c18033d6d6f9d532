"""The OpenAPI document of the service, without starting it: nothing is opened or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from internal.user.data import SqlPolicySource
from pkg.database import Database
from pkg.jwt import Key, KeyRing
from pkg.log import Identity
from pkg.redis import open_redis
from pkg.service import Standard
from user.app import site_of
from user.graph import build
from user.process import SERVICE, VERSION, make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from internal.user.server.settings import UserSettings
    from pkg.config import Loaded
    from pkg.rpc.registry import Registry


def openapi_document(loaded: Loaded[UserSettings], registry: Registry) -> Mapping[str, Any]:
    """What the service serves, in the profile of the settings."""
    settings = loaded.settings
    database = Database(settings.database, data_dir=settings.data.dir)
    process = make(
        Standard(loaded, Identity(SERVICE, VERSION, settings.env)),
        registry,
        keys=KeyRing([Key("none", "HS256", b"", b"")]),  # nobody is served, so nothing is signed
        load_policies=SqlPolicySource(database).load,
    )
    graph = build(process, database, open_redis(settings.redis, "redis://127.0.0.1"))
    return site_of(process, graph).document()
