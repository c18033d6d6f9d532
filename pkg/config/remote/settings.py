"""How remote configuration is found. Said by file, environment or flags, never by itself."""
# Pydantic reads the annotations below at run time.

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, field_validator

from pkg.backoff.settings import BackoffSettings
from pkg.config.duration import Duration
from pkg.config.settings import Secret, Settings

if TYPE_CHECKING:
    from pkg.consul import ConsulSettings

_POSITIVE = timedelta()
_SCHEMES = {"consul": "http", "consul+https": "https", "dir": ""}


class RemoteSettings(Settings):
    """`remote`. Without a URL there is no remote configuration."""

    url: str | None = None
    """`consul://host:8500/config/user/prod.yaml`, `consul+https://host:8501/…`, or
    `dir:///etc/user/config` for a mounted ConfigMap or Secret. No credentials in it."""
    token: Secret | None = None
    """Of Consul. From the environment or a file: command lines are seen by others."""
    ca_file: Path | None = None
    """Whom to trust for `consul+https`; the system's authorities where it is not given."""
    timeout: Duration = Field(default=timedelta(seconds=3), gt=_POSITIVE)
    """For one answer."""
    wait: Duration = Field(
        default=timedelta(seconds=30), ge=timedelta(seconds=1), le=timedelta(minutes=10)
    )
    """How long Consul holds an answer back while nothing changes."""
    poll: Duration = Field(default=timedelta(seconds=10), gt=_POSITIVE)
    """How often a folder is read again, for file systems that tell of no changes."""
    start_timeout: Duration = Field(default=timedelta(seconds=20), gt=_POSITIVE)
    """How long the start waits for the first answer, and fails after."""
    cache: Path | None = None
    """A file that keeps what was last accepted, secrets included, readable to the owner only. With
    it a start without the source is not refused."""
    backoff: BackoffSettings = BackoffSettings(first=timedelta(milliseconds=500))
    """Between tries."""

    @field_validator("url")
    @classmethod
    def _is_one(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError("a remote source is consul://…, consul+https://… or dir:///…")
        if parts.username is not None or parts.password is not None:
            raise ValueError("credentials do not belong into the URL, use token")
        if parts.query or parts.fragment:
            raise ValueError("? and # mean nothing here")
        _check_place(parts)
        return url

    def consul(self) -> "ConsulSettings":
        """Where Consul is, of a `consul` URL."""
        from pkg.consul import ConsulSettings

        parts = urlsplit(self.url or "")
        return ConsulSettings(
            url=f"{_SCHEMES[parts.scheme]}://{parts.netloc}",
            token=self.token,
            ca_file=self.ca_file,
            timeout=self.timeout,
            wait=self.wait,
        )


def _check_place(parts: SplitResult) -> None:
    if parts.scheme == "dir":
        if parts.netloc or not parts.path.startswith("/"):
            raise ValueError("a folder is dir:/// and an absolute path")
    elif not parts.hostname or not parts.path.strip("/"):
        raise ValueError("Consul needs a host and a key: consul://host:8500/config/user/prod.yaml")
    elif not _has_valid_port(parts):
        raise ValueError("the port is not one")


def _has_valid_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False
