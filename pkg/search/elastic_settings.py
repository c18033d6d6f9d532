"""Where Elasticsearch is, and how long to wait for it."""

# The annotations below are read at run time, so they are not deferred.

from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pkg.config import Duration, Secret, Settings

_NONE = timedelta(0)


class ElasticSettings(Settings):
    """One cluster."""

    urls: tuple[str, ...] = Field(min_length=1, max_length=50)
    """`https://host:9200` of each node that may be asked; no user and no password."""
    username: str = ""
    password: Secret | None = None
    api_key: Secret | None = None
    """In place of user and password."""
    ca_certs: Path | None = None
    """Whom to trust; the host's authorities without."""
    timeout: Duration = Field(default=timedelta(seconds=5), gt=_NONE)
    """For one call, retries and all."""
    bulk_timeout: Duration = Field(default=timedelta(seconds=15), gt=_NONE)
    """For writing many, and for one step of a migration."""
    retries: int = Field(default=1, ge=0, le=5)
    """On another node, if there is one, after a connection that broke. Not after a timeout."""
    max_connections: int = Field(default=10, ge=1, le=500)
    """To each node, of one event loop."""
    compress: bool = False
    """Whether requests are."""
    shards: int = Field(default=1, ge=1, le=1024)
    """Of an index that is made."""
    replicas: int = Field(default=1, ge=0, le=10)
    """Of each shard of an index that is made."""
    refresh_interval: Duration = Field(default=timedelta(seconds=1), gt=_NONE)
    """Of an index that is made: how late searches find what was written."""
    required: bool = False
    """Whether the process is not ready while the cluster does not answer."""

    @field_validator("urls")
    @classmethod
    def _are_some(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("a URL looks like https://host:9200")
            if parts.username is not None or parts.password is not None:
                raise ValueError("user and password have settings of their own")
        return urls

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.api_key is not None and (self.username or self.password is not None):
            raise ValueError("give an apiKey, or username and password")
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password go together")
        return self
