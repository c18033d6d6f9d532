"""A key in Consul's key-value store."""

from __future__ import annotations

from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from pkg.clock import Pause, pause
from pkg.config.remote.part import Part, Said
from pkg.config.remote.source import RemoteError
from pkg.consul import ConsulError, ConsulSettings, follow
from pkg.consul.client import ConsulClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    import httpx


class ConsulSource:
    """A `RemoteSource` of one text: a YAML document, or whatever else a key holds."""

    def __init__(
        self,
        settings: ConsulSettings,
        key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Pause = pause,
    ) -> None:
        """Prepare; `transport` replaces the network."""
        self._settings = settings
        self._key = key
        self._transport = transport
        self._pause = pause

    @property
    def name(self) -> str:
        """`consul:` and the key."""
        return f"consul:{self._key}"

    async def load(self) -> Said:
        """Read the key.

        Raises:
            RemoteError: there is no such key, or no Consul.
        """
        async with self._client() as client:
            with _remote():
                return self._said((await client.kv(self._key)).value)

    async def watch(self) -> AsyncGenerator[Said, None]:
        """Yield what the key holds, by blocking queries.

        Raises:
            RemoteError: there is no such key any more, or no Consul.
        """
        async with self._client() as client:
            answers = follow(lambda index: client.kv(self._key, index=index), pause=self._pause)
            with _remote():
                async with aclosing(answers):
                    async for value in answers:
                        yield self._said(value)

    def _client(self) -> ConsulClient:
        return ConsulClient(self._settings, transport=self._transport)

    def _said(self, value: bytes | None) -> Said:
        if value is None:
            raise RemoteError(f"Consul at {self._settings.url} has no key {self._key}")
        try:
            return (Part(self.name, value.decode()),)
        except UnicodeDecodeError:
            raise RemoteError(
                f"Consul at {self._settings.url}: the key {self._key} is not a UTF-8 text"
            ) from None


@contextmanager
def _remote() -> Iterator[None]:
    """What goes wrong with Consul is a source that cannot be read."""
    try:
        yield
    except ConsulError as error:
        raise RemoteError(str(error)) from error
