"""Where Consul is, and how long to wait for it."""
# Pydantic reads the annotations below at run time.

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from pkg.config.duration import Duration
from pkg.config.settings import Secret, Settings


class ConsulSettings(Settings):
    """One agent, best the one on the same host."""

    url: str = "http://127.0.0.1:8500"
    """`http://host:8500` or `https://host:8501`."""
    token: Secret | None = None
    """Of an ACL policy; sent in a header, and never shown."""
    ca_file: Path | None = None
    """Whom to trust for `https`; the system's authorities where it is not given."""
    timeout: Duration = Field(default=timedelta(seconds=3), gt=timedelta())
    """For a connection, and for an answer that Consul does not hold back."""
    wait: Duration = Field(
        default=timedelta(seconds=30), ge=timedelta(seconds=1), le=timedelta(minutes=10)
    )
    """How long Consul holds an answer back while nothing changes. A Consul that hangs is noticed
    after little more than that."""

    @field_validator("url")
    @classmethod
    def _is_one(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("Consul's URL is http://host:port or https://host:port")
        if parts.username is not None or parts.password is not None:
            raise ValueError("credentials do not belong into Consul's URL, use token")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("Consul's URL ends with the port")
        return url.rstrip("/")
