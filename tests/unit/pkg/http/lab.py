"""Services to call in the tests of HTTP, an app around them, and a client as raw as ASGI is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from api.google.protobuf import Empty
from api.lab.v1 import Inner
from api.lab.v1.service import route_service, stream_service
from api.user.http.v1 import GetCaptchaReply, LoginReply
from api.user.http.v1.service import auth_service
from pkg.http import HttpApp, ProfileName, profile_of
from pkg.middleware import request_id, validation
from pkg.tokens import FakeTokens
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from api.lab.v1 import Shelf
    from api.user.http.v1 import (
        GetCaptchaRequest,
        LoginRequest,
        LogoutReply,
        LogoutRequest,
        RefreshTokenReply,
        RefreshTokenRequest,
        RegisterReply,
        RegisterRequest,
        VerifyTokenReply,
        VerifyTokenRequest,
    )
    from pkg.http.asgi import AsgiApp
    from pkg.rpc import Call, Middleware

LOGIN = {"username": "alice", "password": "secret1", "captcha": "123456", "captchaID": "c1"}
"""A body that Login takes."""


class Shelves:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Shelf]] = []

    async def get_shelf(self, request: Shelf, call: Call, /) -> Shelf:
        return self._keep("get", request)

    async def move_shelf(self, request: Shelf, call: Call, /) -> Shelf:
        return self._keep("move", request)

    async def put_book(self, request: Shelf, call: Call, /) -> Shelf:
        return self._keep("put", request)

    async def patch_books(self, request: Shelf, call: Call, /) -> Shelf:
        return self._keep("patch", request)

    async def delete_shelf(self, request: Shelf, call: Call, /) -> Empty:
        self._keep("delete", request)
        return Empty()

    async def probe_shelf(self, request: Shelf, call: Call, /) -> Shelf:
        return self._keep("probe", request)

    def _keep(self, verb: str, request: Shelf) -> Shelf:
        self.asked.append((verb, request))
        return request


class Streams:
    """Has two methods that HTTP serves, and two that it does not."""

    async def echo(self, request: Inner, call: Call, /) -> Inner:
        return request

    async def count(self, request: Inner, call: Call, /) -> AsyncIterator[Inner]:
        for number in range(request.a):
            yield Inner(a=number)

    async def sum(self, requests: AsyncIterator[Inner], call: Call, /) -> Inner:
        return Inner(a=sum([each.a async for each in requests]))

    async def chat(self, requests: AsyncIterator[Inner], call: Call, /) -> AsyncIterator[Inner]:
        async for each in requests:
            yield each


class Auth:
    """Lets alice in; raises what it is told to."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.error: Exception | None = None

    async def get_captcha(self, request: GetCaptchaRequest, call: Call, /) -> GetCaptchaReply:
        self._hear(call)
        return GetCaptchaReply(captcha_id="c1", captcha_length=6)

    async def login(self, request: LoginRequest, call: Call, /) -> LoginReply:
        self._hear(call)
        return LoginReply(id=7, user_name=request.user_name)

    async def register(self, request: RegisterRequest, call: Call, /) -> RegisterReply:
        raise AssertionError("no test asks for this")

    async def refresh_token(self, request: RefreshTokenRequest, call: Call, /) -> RefreshTokenReply:
        raise AssertionError("no test asks for this")

    async def logout(self, request: LogoutRequest, call: Call, /) -> LogoutReply:
        raise AssertionError("no test asks for this")

    async def verify_token(self, request: VerifyTokenRequest, call: Call, /) -> VerifyTokenReply:
        raise AssertionError("no test asks for this")

    def _hear(self, call: Call) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


@dataclass
class Lab:
    """An app with the services that it serves."""

    http: HttpApp
    shelves: Shelves
    auth: Auth = field(default_factory=Auth)

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask as an HTTP client does."""
        return await ask(self.http, method, path, **more)


def lab(
    profile: ProfileName = "envelope",
    chain: Sequence[Middleware] = (),
    *,
    max_body: int = 1000,
    fallback: AsgiApp | None = None,
    shelves: Shelves | None = None,
) -> Lab:
    """Everything mounted; request ids and `validation` stand around the given chain."""
    tokens = FakeTokens()
    app = HttpApp(
        registry(),
        (request_id(tokens), *chain, validation()),
        profile_of(profile, registry()),
        fallback,
        tokens=tokens,
        max_body=max_body,
    )
    made = Lab(app, shelves or Shelves())
    app.mount(auth_service(made.auth))
    app.mount(route_service(made.shelves))
    app.mount(stream_service(Streams()))
    return made


async def ask(app: AsgiApp, method: str, path: str, **more: Any) -> httpx.Response:
    """One request to an ASGI app."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lab") as client:
        return await client.request(method, path, **more)


@dataclass
class Exchange:
    """One ASGI request, message by message."""

    method: str = "POST"
    path: str = "/v1/login"
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    incoming: Sequence[Mapping[str, Any]] = ()
    sent: list[Any] = field(default_factory=list)
    received: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, app: AsgiApp, **scope: Any) -> Exchange:
        """Serve it. When its messages are used up the client waits for the answer, then leaves."""
        raw = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await app(
            {
                "type": "http",
                "method": self.method,
                "path": self.path,
                "raw_path": self.path.encode(),
                "query_string": self.query,
                "headers": raw,
                "client": ("192.0.2.7", 4711),
                **scope,
            },
            self._receive,
            self._send,
        )
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.sent[1:])

    def header(self, name: str) -> list[str]:
        """Every value of a header."""
        raw = self.sent[0]["headers"]
        return [value.decode() for key, value in raw if key == name.encode()]

    async def _receive(self) -> Any:
        if self.received == len(self.incoming):
            await self.answered.wait()
            return {"type": "http.disconnect"}
        message = self.incoming[self.received]
        self.received += 1
        return dict(message)

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.answered.set()


def chunks(*parts: bytes) -> list[dict[str, Any]]:
    """A request body in these pieces."""
    last = len(parts) - 1
    return [
        {"type": "http.request", "body": part, "more_body": at < last}
        for at, part in enumerate(parts)
    ]
