"""Several processes of the service: what there is of it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.redis import EmbeddedValkey
from pkg.service.supervisor import supervisor

if TYPE_CHECKING:
    from internal.user.server.settings import UserSettings
    from pkg.app import App
    from pkg.service import Standard


def user_workers(standard: Standard[UserSettings]) -> App:
    """The supervisor of the workers. Nothing is opened or started yet."""
    settings = standard.settings
    valkey = None if settings.redis.url else EmbeddedValkey(settings.data.dir / "valkey")
    return supervisor(
        standard,
        settings.server.workers,
        listening={"server.http": settings.server.http, "server.grpc": settings.server.grpc},
        components=() if valkey is None else (valkey,),
        sets={} if valkey is None else {"redis.url": valkey.url},
    )
