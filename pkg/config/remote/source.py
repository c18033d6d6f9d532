"""The port: where configuration comes from that is not on this host, or not of this release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from pkg.config.remote.part import Part, Said

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pkg.config.remote.settings import RemoteSettings

__all__ = ["Part", "RemoteError", "RemoteSource", "Said", "open_source"]


class RemoteError(Exception):
    """A source cannot be read now: it is away, empty, or does not let us. Never tells a secret."""


class RemoteSource(Protocol):
    """Says texts. Holds nothing open but while one of its methods runs."""

    @property
    def name(self) -> str:
        """What it is, for people and logs."""
        ...

    async def load(self) -> Said:
        """Read what it says now, at least one part; ends within a bound of its own.

        Raises:
            RemoteError: that is not possible; says why, and names host and place.
        """
        ...

    def watch(self) -> AsyncGenerator[Said, None]:
        """Yield what it says: now, and whenever it is heard of again, changed or not.

        Raises:
            RemoteError: it cannot be read any more. Whoever wants to go on begins anew.
        """
        ...


def open_source(settings: RemoteSettings) -> RemoteSource | None:
    """The source that the settings name, if they name one."""
    if settings.url is None:
        return None
    parts = urlsplit(settings.url)
    if parts.scheme == "dir":
        from pkg.config.remote.directory import DirectorySource

        return DirectorySource(Path(unquote(parts.path)), poll=settings.poll)
    from pkg.config.remote.consul import ConsulSource  # httpx, for those who need it

    return ConsulSource(settings.consul(), unquote(parts.path).strip("/"))
