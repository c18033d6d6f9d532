"""Pages of a FastAPI app that are nobody's operation, refusals in the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount, Route

from pkg.http.fastapi_errors import fault_of, headers_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

    from pkg.http.app import HttpApp
    from pkg.http.asgi import Receive, Scope, Send


class Pages:
    """Serves the app's plain routes and mounts, and its lifespan; none of its FastAPI routes."""

    def __init__(self, http: HttpApp, app: FastAPI) -> None:
        self._http = http
        self._app = app
        self._made: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection, with the routes that the app has when the first one comes."""
        if self._made is None:
            self._made = self._make()
        await self._made(scope, receive, send)

    def _make(self) -> Starlette:
        made = Starlette(
            routes=[
                route
                for route in self._app.routes
                if isinstance(route, Route | Mount) and not isinstance(route, APIRoute)
            ],
            exception_handlers={HTTPException: self._refuse, Exception: self._refuse},
            lifespan=self._app.router.lifespan_context,
        )
        made.router.redirect_slashes = False
        made.router.default = self._http.unmatched
        return made

    async def _refuse(self, request: Request, error: Exception) -> Response:
        fault = fault_of(error) or error
        reply, headers = self._http.refusal(fault, headers_of(error), request.scope)
        response = Response(reply.body, reply.status)
        response.raw_headers = headers
        return response
