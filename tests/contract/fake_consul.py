"""A Consul that holds keys, services and an index, and can be away; in place of the network.

It answers what `pkg.consul` asks, as Consul 1.2x does: a held query is answered when the index of
what it asks for has moved, or when a test says that the wait is over.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

PASSING = "passing"


@dataclass
class Service:
    """A registered service, with the state of its checks."""

    payload: dict[str, Any]
    checks: dict[str, str]


@dataclass
class FakeConsul(httpx.AsyncBaseTransport):
    """Hand it to `ConsulClient` as its transport."""

    token: str = ""
    """The only one that is allowed anything, if not empty."""
    down: bool = False
    """Refuses connections."""
    frozen: bool = False
    """Takes requests and never answers."""
    index: int = 10
    keys: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    services_index: int = 10
    requests: list[httpx.Request] = field(default_factory=list)
    held: int = 0
    """Queries that wait for a change."""
    answer: httpx.Response | None = None
    """Given to every request instead of an answer of ours."""

    def __post_init__(self) -> None:
        self._changed = asyncio.Condition()
        self._waits = 0

    async def put(self, key: str, value: str) -> None:
        """Set a key, as somebody else."""
        self.index += 1
        self.keys[key] = (value.encode(), self.index)
        await self.wake()

    async def crash(self) -> None:
        """Go away: held queries break, and so does whatever comes."""
        self.down = True
        await self.wake()

    async def return_without_state(self) -> None:
        """Come back knowing nothing, with an index that begins anew."""
        self.down = False
        self.index = self.services_index = 1
        self.keys, self.services = {}, {}
        await self.wake()

    async def wait_is_over(self) -> None:
        """Answer held queries although nothing has changed."""
        self._waits += 1
        await self.wake()

    async def set_check(self, service: str, check: str, status: str) -> None:
        """Find out how a service is, as the agent does."""
        self.services[service].checks[check] = status
        await self._services_changed()

    async def wake(self) -> None:
        """Let held queries look again."""
        async with self._changed:
            self._changed.notify_all()

    async def wait_until_held(self, queries: int = 1) -> None:
        """Return when so many queries wait."""
        async with asyncio.timeout(30):
            async with self._changed:
                await self._changed.wait_for(lambda: self.held >= queries)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or fail as the network does."""
        self.requests.append(request)
        self._be_there(request)
        if self.frozen:
            await asyncio.get_running_loop().create_future()
        if self.answer is not None:
            return self.answer
        if self.token and request.headers.get("X-Consul-Token") != self.token:
            return httpx.Response(403, text="Permission denied")
        path = unquote(request.url.raw_path.decode().partition("?")[0])
        verb, params = request.method, request.url.params
        content = await request.aread()
        if path.startswith("/v1/kv/"):
            return await self._kv(verb, path.removeprefix("/v1/kv/"), content, request)
        if path.startswith("/v1/health/service/"):
            assert params["passing"] == "true"
            await self._hold(request, lambda: self.services_index)
            return self._healthy(path.removeprefix("/v1/health/service/"))
        if path == "/v1/agent/service/register":
            return await self._register(json.loads(content))
        if path.startswith("/v1/agent/service/deregister/"):
            return await self._deregister(path.removeprefix("/v1/agent/service/deregister/"))
        if path.startswith("/v1/agent/service/"):
            known = self.services.get(path.removeprefix("/v1/agent/service/"))
            return httpx.Response(404) if known is None else httpx.Response(200, json=known.payload)
        if path.startswith("/v1/agent/check/update/"):
            return await self._renew(path.removeprefix("/v1/agent/check/update/"), content)
        return httpx.Response(400, text=f"unknown path {path}")

    def _be_there(self, request: httpx.Request) -> None:
        if self.down:
            raise httpx.ConnectError("connection refused", request=request)

    async def _hold(self, request: httpx.Request, index: Any) -> None:
        asked = int(request.url.params.get("index", "0"))
        if not asked:
            return
        waits = self._waits
        async with self._changed:
            self.held += 1
            self._changed.notify_all()
            try:
                await self._changed.wait_for(
                    lambda: self.down or index() != asked or self._waits != waits
                )
            finally:
                self.held -= 1
        self._be_there(request)

    async def _kv(
        self, verb: str, key: str, content: bytes, request: httpx.Request
    ) -> httpx.Response:
        if verb == "PUT":
            await self.put(key, content.decode())
            return httpx.Response(200, json=True)
        if verb == "DELETE":
            self.index += 1
            self.keys.pop(key, None)
            await self.wake()
            return httpx.Response(200, json=True)
        await self._hold(request, lambda: self.keys.get(key, (b"", self.index))[1])
        if key not in self.keys:
            return httpx.Response(404, headers={"X-Consul-Index": str(self.index)})
        value, modified = self.keys[key]
        said = [{"Key": key, "Value": base64.b64encode(value).decode() or None}]
        return httpx.Response(200, json=said, headers={"X-Consul-Index": str(modified)})

    async def _register(self, payload: dict[str, Any]) -> httpx.Response:
        checks = {each["CheckID"]: each.get("Status", "critical") for each in payload["Checks"]}
        self.services[payload["ID"]] = Service(payload, checks)
        await self._services_changed()
        return httpx.Response(200)

    async def _deregister(self, service: str) -> httpx.Response:
        if self.services.pop(service, None) is None:
            return httpx.Response(404, text=f'Unknown service ID "{service}"')
        await self._services_changed()
        return httpx.Response(200)

    async def _renew(self, check: str, content: bytes) -> httpx.Response:
        for service in self.services.values():
            if check in service.checks:
                status = json.loads(content)["Status"]
                if service.checks[check] != status:
                    service.checks[check] = status
                    await self._services_changed()
                return httpx.Response(200)
        return httpx.Response(404, text=f'Unknown check ID "{check}"')

    async def _services_changed(self) -> None:
        self.index += 1
        self.services_index = self.index
        await self.wake()

    def _healthy(self, name: str) -> httpx.Response:
        said = [
            {
                "Node": {"Address": "192.0.2.1"},
                "Service": {
                    "Service": each.payload["Name"],
                    **{
                        key: each.payload[key]
                        for key in ("ID", "Address", "Port", "Tags", "Meta", "Weights")
                    },
                },
            }
            for each in self.services.values()
            if each.payload["Name"] == name and set(each.checks.values()) <= {PASSING}
        ]
        return httpx.Response(200, json=said, headers={"X-Consul-Index": str(self.services_index)})
