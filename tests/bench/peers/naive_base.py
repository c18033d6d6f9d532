"""The naive stack's middlewares as Starlette's BaseHTTPMiddleware."""

from __future__ import annotations

import uuid
from time import perf_counter
from typing import TYPE_CHECKING, Any

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    import logging

    from starlette.requests import Request

    from tests.bench.peers.naive_parts import Access, Calls, Limit, Policies


class Recovery(BaseHTTPMiddleware):
    """Answers 500."""

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        try:
            return await _next(call_next, request)
        except Exception:  # noqa: BLE001 - that is its task
            return JSONResponse({"error": "internal"}, 500)


class RequestId(BaseHTTPMiddleware):
    """Gives every request an id."""

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        request.state.request_id = request.headers.get("x-request-id") or str(uuid.uuid4())
        response = await _next(call_next, request)
        response.headers["x-request-id"] = request.state.request_id
        return response


class Measured(BaseHTTPMiddleware):
    """Counts and times."""

    def __init__(self, app: Any, calls: Calls) -> None:
        super().__init__(app)
        self._calls = calls

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        began = perf_counter()
        response = await _next(call_next, request)
        taken = perf_counter() - began
        self._calls.observe(request.method, request.url.path, response.status_code, taken)
        return response


class Logged(BaseHTTPMiddleware):
    """Writes a line for every request."""

    def __init__(self, app: Any, logger: logging.Logger) -> None:
        super().__init__(app)
        self._logger = logger

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        began = perf_counter()
        response = await _next(call_next, request)
        self._logger.info(
            "request",
            extra={
                "method": request.method,
                "path": request.url.path,
                "status": response.status_code,
                "ms": round((perf_counter() - began) * 1000, 3),
                "request_id": request.state.request_id,
            },
        )
        return response


class Authentication(BaseHTTPMiddleware):
    """Reads the token, and finds out who calls."""

    def __init__(self, app: Any, access: Access) -> None:
        super().__init__(app)
        self._access = access

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        header = request.headers.get("authorization", "")
        request.state.claims = self._access.claims(header)
        return await _next(call_next, request)


class Authorization(BaseHTTPMiddleware):
    """Asks casbin."""

    def __init__(self, app: Any, policies: Policies) -> None:
        super().__init__(app)
        self._policies = policies

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        role = request.state.claims["role"]
        if not self._policies.allow(role, request.url.path, request.method):
            return JSONResponse({"error": "denied"}, 403)
        return await _next(call_next, request)


class RateLimit(BaseHTTPMiddleware):
    """Asks Redis."""

    def __init__(self, app: Any, limit: Limit) -> None:
        super().__init__(app)
        self._limit = limit

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        if not await self._limit.allows(request.state.claims["sub"]):
            return JSONResponse({"error": "too many"}, 429)
        return await _next(call_next, request)


async def _next(call_next: Any, request: Request) -> Response:
    response: Response = await call_next(request)
    return response
