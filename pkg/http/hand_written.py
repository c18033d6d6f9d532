"""Hand-written FastAPI routes inside the chain, for what a proto does not suit: files, streams.

    app = application("user")

    @app.put("/v1/avatar")
    @declares(Operation("user.Avatar/Put", auth=Auth.SIGNED_IN), max_body=2 << 20)
    async def put_avatar(request: Request, call: CurrentCall) -> AvatarReply: ...

    adopt(http, app)

The operation stands beside the route as an RPC's options stand in its proto; a route without one
stops the start. `CurrentCall` is of `pkg.http.current_call`. An endpoint's module must not hide the
types of its arguments behind TYPE_CHECKING: FastAPI reads them. The chain spans the whole answer,
to the last chunk of a download. A `Fault` answers in the profile, and so does what FastAPI itself
refuses; a JSON body is the profile's data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.requests import Request

from pkg.http.answer import Answer
from pkg.http.body import limited
from pkg.http.current_call import given_call
from pkg.http.endpoint import Interrupted
from pkg.http.fastapi_errors import fault_of, headers_of
from pkg.http.pages import Pages
from pkg.proto.http_rule import HttpRule, parse_template
from pkg.rpc.operation import described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.http.app import HttpApp
    from pkg.http.asgi import AsgiApp, Receive, Scope, Send
    from pkg.http.headers import Headers
    from pkg.rpc.call import Call
    from pkg.rpc.operation import Operation

Function = TypeVar("Function", bound=Callable[..., Any])

_DECLARED: Final = "__declared_operation__"
_CONVERTOR: Final = re.compile(r"\{(\w+):(\w+)\}")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class _Declared:
    operation: Operation
    max_body: int | None


def declares(
    operation: Operation, *, max_body: int | None = None
) -> Callable[[Function], Function]:
    """Put the operation beside a route. `max_body`: bytes; without it the app's own limit holds."""

    def mark(function: Function) -> Function:
        setattr(function, _DECLARED, _Declared(operation, max_body))
        return given_call(function)

    return mark


def application(title: str, version: str = "0", description: str = "") -> FastAPI:
    """An app to write routes on, for `adopt`. It has no pages of its own: see `pkg.http.docs`."""
    return FastAPI(
        title=title,
        version=version,
        description=description,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )


def adopt(http: HttpApp, app: FastAPI) -> None:
    """Serve the app's routes through the chain of `http`, and its pages beside them.

    Pages are what is put on the app that is no FastAPI route: documentation, static files. They are
    the fallback of `http`, outside the chain. FastAPI itself never sees a request: what it takes
    for the path of a route may not be what was authorized.

    Raises:
        ValueError: a route declares no operation, has a path that no template can say, or takes the
            same paths as another.
    """
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            http.add(_endpoint(http, app, context))
    http.fallback = Pages(http, app)


class HandWritten:
    """One FastAPI route as an endpoint."""

    def __init__(
        self, http: HttpApp, app: FastAPI, route: AsgiApp, operation: Operation, limit: int
    ) -> None:
        """`limit`: of the request body, in bytes."""
        self.operation = operation
        self._app = app
        self._route = route
        self._handler = http.composed(_run, operation)
        self._profile = http.profile
        self._limit = limit

    async def serve(
        self,
        call: Call,
        headers: Headers,
        variables: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Let the route answer; its response goes out as it comes."""
        answer = Answer(send, self._profile, call)
        scope.update(app=self._app, router=self._app.router, path_params=dict(variables))
        receive = limited(receive, headers, self._limit)
        try:
            await self._handler(call, Exchange(scope, receive, answer, self._route))
        except Exception as error:
            if answer.begun:
                raise Interrupted(self.operation.name) from error
            raise


class Exchange(Request):
    """The payload of a hand-written route: a Starlette request that knows who answers it."""

    def __init__(self, scope: Scope, receive: Receive, answer: Answer, route: AsgiApp) -> None:
        super().__init__(scope, receive, answer.send)
        self._answer = answer
        self._route = route

    async def run(self, call: Call) -> None:
        """Let the route read the request and answer it.

        Raises:
            Fault: what the route, or FastAPI in its place, refuses.
        """
        async with AsyncExitStack() as files:
            self.scope["fastapi_middleware_astack"] = files
            try:
                await self._route(self.scope, self.receive, self._answer.send)
            except Exception as error:
                fault = fault_of(error)
                if fault is None or fault is error:
                    raise
                call.reply_headers += headers_of(error)
                raise fault from error


async def _run(call: Call, exchange: Exchange) -> None:
    """The innermost handler of every hand-written route."""
    await exchange.run(call)


def _endpoint(http: HttpApp, app: FastAPI, context: RouteContext) -> HandWritten:
    path, methods = context.path_format or "", sorted(context.methods or ())
    declared = getattr(context.endpoint, _DECLARED, None)
    if not isinstance(declared, _Declared):
        raise ValueError(f"{', '.join(methods)} {path}: the route declares no operation")
    template = parse_template(_template(context.path or ""))
    summary, description = described(context.description or "")
    routed = replace(
        declared.operation,
        rules=tuple(
            HttpRule(method, template, "*" if method in _WITH_BODY else "") for method in methods
        ),
        summary=declared.operation.summary or context.summary or summary,
        description=declared.operation.description or description,
    )
    operation = http.registry.effective(routed)
    limit = http.max_body if declared.max_body is None else declared.max_body
    return HandWritten(http, app, context.app, operation, limit)


def _template(path: str) -> str:
    """Starlette's path as a template: a `path` convertor takes the rest, any other one segment."""
    return _CONVERTOR.sub(
        lambda found: f"{{{found[1]}=**}}" if found[2] == "path" else f"{{{found[1]}}}", path
    )
