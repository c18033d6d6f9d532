"""What the admin port answers.

`/livez`: the loop turns. `/readyz`: whether to send work here, per component; 503 while starting,
draining, or when a component is not well. `/metrics`: for Prometheus. `/config`: the settings in
force, without secrets. It has no access control: the port is not for the public.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from pkg.app.health import Health

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: HTTPStatus
    body: bytes
    content_type: str = _JSON

    @classmethod
    def json(cls, data: object, status: HTTPStatus = HTTPStatus.OK) -> Answer:
        """Data as JSON."""
        return cls(status, json.dumps(data, ensure_ascii=False).encode())


Endpoint = Callable[[Scope], Awaitable[Answer]]
"""Answers GET on one path."""


class AdminApp:
    """An ASGI application with exact paths and GET (and HEAD) only."""

    def __init__(
        self,
        *,
        health: Health,
        registry: CollectorRegistry,
        config: Callable[[], Mapping[str, Any]],
        endpoints: Mapping[str, Endpoint] | None = None,
    ) -> None:
        """Answer from what is handed in.

        Args:
            health: asked at every `/readyz`.
            registry: written out at `/metrics`.
            config: the redacted settings in force.
            endpoints: further paths.
        """
        self._health = health
        self._registry = registry
        self._config = config
        self._endpoints: dict[str, Endpoint] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/config": self._config_shown,
            **(endpoints or {}),
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        answer = await self._answer(scope)
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append((b"allow", b"GET, HEAD"))
        await send(
            {"type": "http.response.start", "status": int(answer.status), "headers": headers}
        )
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope) -> Answer:
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            known = {"error": "not found", "paths": sorted(self._endpoints)}
            return Answer.json(known, HTTPStatus.NOT_FOUND)
        if scope["method"] not in ("GET", "HEAD"):
            return Answer.json({"error": "method not allowed"}, HTTPStatus.METHOD_NOT_ALLOWED)
        return await endpoint(scope)

    async def _livez(self, _scope: Scope) -> Answer:
        return Answer.json({"status": "alive"})

    async def _readyz(self, _scope: Scope) -> Answer:
        report = await self._health.report()
        status = HTTPStatus.OK if report.ready else HTTPStatus.SERVICE_UNAVAILABLE
        components = {
            each.name: {
                "ok": not each.error,
                "seconds": round(each.seconds, 6),
                **({"error": each.error} if each.error else {}),
                **({"note": each.note} if each.note else {}),
            }
            for each in report.components
        }
        said = {"ready": report.ready, "phase": report.phase.value, "components": components}
        return Answer.json(said, status)

    async def _metrics(self, scope: Scope) -> Answer:
        accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        encode, content_type = choose_encoder(accept.decode("latin-1"))
        return Answer(HTTPStatus.OK, encode(self._registry), content_type)

    async def _config_shown(self, _scope: Scope) -> Answer:
        return Answer.json(self._config())
