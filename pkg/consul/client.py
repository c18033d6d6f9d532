"""The part of Consul's HTTP API that we use.

Every request ends within its time: `timeout` for an ordinary one, and beside that the wait, with
the sixteenth that Consul adds to it, for a blocking query. Errors are those of
`pkg.consul.errors`. The token goes to the agent and nowhere else.
"""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

import orjson

from pkg.consul.blocking import Answer
from pkg.consul.errors import ConsulRefusedError
from pkg.consul.models import Entry, Registration, duration
from pkg.consul.wire import AT_ONCE, Wire, json

if TYPE_CHECKING:
    from types import TracebackType

    import httpx

    from pkg.consul.settings import ConsulSettings

_INDEX: Final = "X-Consul-Index"


class ConsulClient:
    """A client of one agent, for one event loop; connects when it is first used.

    An async context manager, and a component of `pkg.app` that is always healthy: what a lost
    agent means is up to who uses it.
    """

    name = "consul"

    def __init__(
        self, settings: ConsulSettings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare. `transport` replaces the network."""
        self._wait = settings.wait
        self._wire = Wire(settings, transport)

    async def start(self) -> None:
        """Do nothing: the agent may come later."""

    async def stop(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def __aenter__(self) -> Self:
        """Use it for as long as the block lasts."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.stop()

    async def kv(self, key: str, *, index: int = 0) -> Answer[bytes | None]:
        """The value of a key, None if there is no such key.

        With an `index` the answer is held back until it is another one, at most for `wait`.
        """
        path = f"/v1/kv/{quote(key)}"
        response = await self._query(path, index, {}, missing=True)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return Answer(None, _index(response))
        found = json(response)
        try:
            value = base64.b64decode(found[0]["Value"] or "", validate=True)
        except (LookupError, TypeError, ValueError) as error:
            raise ConsulRefusedError(f"{self._wire.where(path)}: not as Consul says it") from error
        return Answer(value, _index(response))

    async def put(self, key: str, value: bytes) -> None:
        """Set the value of a key."""
        await self._wire.send("PUT", f"/v1/kv/{quote(key)}", content=value)

    async def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error."""
        await self._wire.send("DELETE", f"/v1/kv/{quote(key)}")

    async def register(self, registration: Registration) -> None:
        """Register a service with the agent, or replace what it knows of it, checks included."""
        await self._wire.send(
            "PUT",
            "/v1/agent/service/register",
            params={"replace-existing-checks": "true"},
            content=orjson.dumps(registration.payload()),
        )

    async def deregister(self, service_id: str) -> None:
        """Remove a service from the agent.

        Raises:
            ConsulNotFoundError: the agent does not know it.
        """
        await self._wire.send("PUT", f"/v1/agent/service/deregister/{quote(service_id, safe='')}")

    async def registered(self, service_id: str) -> bool:
        """Whether the agent knows the service."""
        path = f"/v1/agent/service/{quote(service_id, safe='')}"
        response = await self._wire.send("GET", path, missing=True)
        return response.status_code != HTTPStatus.NOT_FOUND

    async def renew(self, check_id: str, status: str, note: str = "") -> None:
        """Tell how a service with a TTL check is: `passing`, `warning` or `critical`.

        Raises:
            ConsulNotFoundError: the agent does not know the check.
        """
        await self._wire.send(
            "PUT",
            f"/v1/agent/check/update/{quote(check_id, safe='')}",
            content=orjson.dumps({"Status": status, "Output": note}),
        )

    async def healthy(self, service: str, *, index: int = 0) -> Answer[tuple[Entry, ...]]:
        """The instances of a service that pass all their checks, ordered by id.

        With an `index` the answer is held back until it may be another one, at most for `wait`.
        """
        path = f"/v1/health/service/{quote(service, safe='')}"
        response = await self._query(path, index, {"passing": "true"})
        found = json(response)
        try:
            entries = sorted(map(Entry.of, found), key=lambda entry: entry.id)
        except (LookupError, TypeError) as error:
            raise ConsulRefusedError(f"{self._wire.where(path)}: not as Consul says it") from error
        return Answer(tuple(entries), _index(response))

    async def _query(
        self, path: str, index: int, params: dict[str, str], *, missing: bool = False
    ) -> httpx.Response:
        held = self._wait if index else AT_ONCE
        if index:
            params = params | {"index": str(index), "wait": duration(held)}
        return await self._wire.send("GET", path, params=params, held=held, missing=missing)


def _index(response: httpx.Response) -> int:
    text = response.headers.get(_INDEX, "")
    return int(text) if text.isascii() and text.isdigit() else 0
