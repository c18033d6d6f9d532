"""One request to an agent: within its time, with typed errors, and with the token kept to it."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson

from pkg.consul.errors import (
    ConsulError,
    ConsulForbiddenError,
    ConsulNotFoundError,
    ConsulRefusedError,
    ConsulUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.consul.settings import ConsulSettings

AT_ONCE: Final = timedelta()
_JITTER: Final = 1 / 16
"""What Consul may add to the wait of a blocking query, as a part of it."""
_LONGEST_REASON: Final = 200
"""Characters of Consul's own words in our errors."""


class Wire:
    """The way to one agent. Follows no redirect and uses no proxy of the environment."""

    def __init__(
        self, settings: ConsulSettings, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._settings = settings
        token = settings.token.get_secret_value() if settings.token else ""
        self._http = httpx.AsyncClient(
            base_url=settings.url,
            headers={"X-Consul-Token": token} if token else {},
            verify=_trust(settings),
            trust_env=False,
            transport=transport,
            # `send` bounds the whole of a request.
            timeout=httpx.Timeout(None, connect=settings.timeout.total_seconds()),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        held: timedelta = AT_ONCE,
        missing: bool = False,
    ) -> httpx.Response:
        """Send a request that Consul holds back for up to `held`; with `missing`, 404 is an answer.

        Raises:
            ConsulError: it was not answered, or not as hoped for.
        """
        limit = self._settings.timeout + held * (1 + _JITTER)
        try:
            async with asyncio.timeout(limit.total_seconds()):
                response = await self._http.request(method, path, params=params, content=content)
        except TimeoutError:
            raise ConsulUnavailableError(
                f"{self.where(path)}: no answer in {limit.total_seconds():g} s"
            ) from None
        except httpx.TransportError as error:
            why = str(error) or type(error).__name__
            raise ConsulUnavailableError(f"{self.where(path)}: {why}") from error
        if response.is_success or (missing and response.status_code == HTTPStatus.NOT_FOUND):
            return response
        said = " ".join(response.text.split())[:_LONGEST_REASON]
        raise _error(response.status_code)(
            f"{self.where(path)}: {response.status_code} {said}".rstrip()
        )

    def where(self, path: str) -> str:
        """The begin of an error about a path."""
        return f"Consul at {self._settings.url}, {path}"


def json(response: httpx.Response) -> Any:
    """The JSON in an answer.

    Raises:
        ConsulRefusedError: it is none.
    """
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise ConsulRefusedError(f"{response.url}: not an answer of Consul's") from error


def _error(status: int) -> type[ConsulError]:
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return ConsulForbiddenError
        case HTTPStatus.NOT_FOUND:
            return ConsulNotFoundError
        case HTTPStatus.TOO_MANY_REQUESTS:
            return ConsulUnavailableError
    server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ConsulUnavailableError if server else ConsulRefusedError


def _trust(settings: ConsulSettings) -> ssl.SSLContext:
    if settings.url.startswith("https:"):
        return ssl.create_default_context(cafile=settings.ca_file)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used, and costs nothing to make
