"""What a service says of its database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from pkg.config import Duration, Secret, Settings
from pkg.database.url import resolve_url


class DatabaseSettings(Settings):
    """Where the data is, and how long anything that asks for it may wait."""

    url: Secret = Field(default=Secret("sqlite:///data.db"), min_length=1)
    """`sqlite:///file`, `mysql://…`, `mariadb://…` or `postgresql://…`. A relative file is below
    the data directory. Secret, since it may hold a password."""
    pool_size: Annotated[int, Field(ge=1, le=500)] = 10
    """Connections of one event loop."""
    pool_timeout: Duration = timedelta(seconds=5)
    """How long a request waits for a connection."""
    pool_recycle: Duration = timedelta(minutes=30)
    """How long a connection is kept."""
    connect_timeout: Duration = timedelta(seconds=5)
    statement_timeout: Duration = timedelta(seconds=10)
    """How long one statement may run; less, where the call that it is for ends earlier."""
    lock_timeout: Duration = timedelta(seconds=5)
    """How long a statement waits for a lock."""

    @field_validator("url")
    @classmethod
    def _is_one(cls, url: Secret) -> Secret:
        resolve_url(url.get_secret_value(), Path())
        return url
