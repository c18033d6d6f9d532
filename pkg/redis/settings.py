"""Where Redis is, and how long to wait for it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from pkg.config import Duration, Secret, Settings
from pkg.redis.address import parse_address


class RedisSettings(Settings):
    """One Redis. Without a URL the process runs an embedded one."""

    url: Secret | None = None
    """`redis://user:password@host:6379/0`, `redis+sentinel://host:26379,host:26379/master?db=0`,
    `redis+cluster://host:6379,host:6379`, each with `rediss` for TLS, or `unix:///path?db=0`."""
    connect_timeout: Duration = Field(default=timedelta(seconds=1), gt=timedelta())
    timeout: Duration = Field(default=timedelta(seconds=1), gt=timedelta())
    """For one answer."""
    retries: int = Field(default=1, ge=0, le=5)
    """After a connection that broke; the command may then run twice."""
    max_connections: int = Field(default=32, ge=1)
    """Of one event loop, and to each node of a cluster. Who finds none free waits for one up to
    `timeout`; on a cluster that is an error at once."""

    @field_validator("url")
    @classmethod
    def _is_one(cls, url: Secret | None) -> Secret | None:
        if url is not None:
            parse_address(url.get_secret_value())
        return url
