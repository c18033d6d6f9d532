"""The naive stack's middlewares as plain ASGI."""

from __future__ import annotations

import uuid
from time import perf_counter
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    import logging

    from tests.bench.peers.naive_parts import Access, Calls, Limit, Policies


class _Middleware:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        raise LookupError("every middleware serves requests in its own way")


class Recovery(_Middleware):
    """Answers 500."""

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception:  # noqa: BLE001 - that is its task
            await JSONResponse({"error": "internal"}, 500)(scope, receive, send)


class RequestId(_Middleware):
    """Gives every request an id."""

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        given = Headers(scope=scope).get("x-request-id") or str(uuid.uuid4())

        async def with_id(message: Any) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = given
            await send(message)

        scope.setdefault("state", {})["request_id"] = given
        await self.app(scope, receive, with_id)


class Measured(_Middleware):
    """Counts and times."""

    def __init__(self, app: Any, calls: Calls) -> None:
        super().__init__(app)
        self._calls = calls

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        status, began = 500, perf_counter()

        async def watched(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            taken = perf_counter() - began
            self._calls.observe(scope["method"], scope["path"], status, taken)


class Logged(_Middleware):
    """Writes a line for every request."""

    def __init__(self, app: Any, logger: logging.Logger) -> None:
        super().__init__(app)
        self._logger = logger

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        began = perf_counter()
        try:
            await self.app(scope, receive, send)
        finally:
            self._logger.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "ms": round((perf_counter() - began) * 1000, 3),
                    "request_id": scope["state"]["request_id"],
                },
            )


class Authentication(_Middleware):
    """Reads the token, and finds out who calls."""

    def __init__(self, app: Any, access: Access) -> None:
        super().__init__(app)
        self._access = access

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        claims = self._access.claims(Headers(scope=scope).get("authorization", ""))
        scope["state"]["claims"] = claims
        await self.app(scope, receive, send)


class Authorization(_Middleware):
    """Asks casbin."""

    def __init__(self, app: Any, policies: Policies) -> None:
        super().__init__(app)
        self._policies = policies

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        role = scope["state"]["claims"]["role"]
        if self._policies.allow(role, scope["path"], scope["method"]):
            await self.app(scope, receive, send)
        else:
            await JSONResponse({"error": "denied"}, 403)(scope, receive, send)


class RateLimit(_Middleware):
    """Asks Redis."""

    def __init__(self, app: Any, limit: Limit) -> None:
        super().__init__(app)
        self._limit = limit

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        if await self._limit.allows(scope["state"]["claims"]["sub"]):
            await self.app(scope, receive, send)
        else:
            await JSONResponse({"error": "too many"}, 429)(scope, receive, send)
