"""ChainService behind a chain, called through HTTP and through gRPC: the same test for both.

    @every_transport
    async def test_something(transport: Transport) -> None:
        async with transport.serving(authentication(Callers()), …) as lab:
            outcome = await lab.call("Mine", Task(name="a"), headers=signed_in("alice"))
            assert outcome.reason == "OK"

The chain that a test gives stands between `recovery` and `validation`.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

import grpc.aio
import httpx
import orjson
import pytest
from google.rpc import error_details_pb2, status_pb2

from api.lab.v1 import Done, Glance, Task
from api.lab.v1.service import chain_service
from pkg.errors import Fault
from pkg.grpc import GrpcSettings, Mounted
from pkg.grpc.serving import serving
from pkg.grpc.status import DETAILS
from pkg.http import HttpApp, Problem
from pkg.middleware import log_error, recovery, validation
from pkg.rpc import Principal
from pkg.tokens import FakeTokens
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from pkg.rpc import Call, Middleware, Operation

SERVICE: Final = "lab.v1.ChainService"
CLIENT: Final = "127.0.0.1"
"""Where every call comes from."""

_LOG: Final = logging.getLogger(__name__)
_OK: Final = "OK"
_DETAILS: Final = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.LocalizedMessage,
    error_details_pb2.RequestInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.RetryInfo,
    error_details_pb2.QuotaFailure,
)


class Callers:
    """An `Authenticator` to whom a token is `subject` or `subject.tenant`; `nobody` is refused."""

    async def authenticate(self, token: str) -> Principal:
        """The holder that the token names."""
        subject, _, tenant = token.partition(".")
        if subject == "nobody":
            raise Fault("UNAUTHENTICATED")
        return Principal(subject, subject, "user", f"t-{token}", f"s-{token}", 2e9, tenant)


def signed_in(subject: str, tenant: str = "") -> dict[str, str]:
    """The headers of a caller that `Callers` knows."""
    token = f"{subject}.{tenant}" if tenant else subject
    return {"authorization": f"Bearer {token}"}


class ChainLab:
    """Implements ChainService: answers with the name that it was asked for, and counts."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        """Those that came through, in their order."""
        self.requests: list[Any] = []
        """Their messages; of a stream of requests, each."""
        self.error: Exception | None = None
        """Raised instead of an answer."""
        self.entered = asyncio.Event()
        """Set when a call has come."""
        self.go_on = asyncio.Event()
        """Calls wait for it; see `hold`."""
        self.go_on.set()

    def hold(self) -> None:
        """Let calls wait until `go_on` is set."""
        self.entered.clear()
        self.go_on.clear()

    @property
    def times(self) -> int:
        """How many calls came through."""
        return len(self.calls)

    async def _answer(self, request: Task | Glance, call: Call, /) -> Done:
        self.requests.append(request)
        await self._enter(call)
        return Done(name=request.name, times=self.times, token=f"secret-{self.times}")

    open = guarded = mine = named = limited_by_address = limited_by_caller = _answer
    keyed = must_be_keyed = kept_for_all = kept_for_me = quick = _answer
    recorded_in_brief = unrecorded = _answer

    async def watch(self, request: Glance, call: Call, /) -> AsyncIterator[Done]:
        """As many replies as are asked for; then the error."""
        self.requests.append(request)
        self.calls.append(call)
        for number in range(request.count):
            yield Done(name=request.name, times=number + 1)
        await self._wait()

    async def gather(self, requests: AsyncIterator[Task], call: Call, /) -> Done:
        """One reply, with the names of all."""
        await self._enter(call)
        names = []
        async for request in requests:
            self.requests.append(request)
            names.append(request.name)
        return Done(name=" ".join(names), times=self.times)

    async def talk(self, requests: AsyncIterator[Task], call: Call, /) -> AsyncIterator[Done]:
        """A reply for each request."""
        await self._enter(call)
        async for request in requests:
            self.requests.append(request)
            yield Done(name=request.name, times=self.times)

    async def _enter(self, call: Call) -> None:
        self.calls.append(call)
        await self._wait()

    async def _wait(self) -> None:
        self.entered.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error


@dataclass
class Outcome:
    """What the client saw of one call."""

    reason: str
    """`OK`, or the catalogue's reason; what the transport itself says begins with a dash."""
    text: str
    """The message of a refusal, with its detail, in the caller's language."""
    reply: Any = None
    replies: list[Any] = field(default_factory=list)
    """Of a stream, until it ended."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of HTTP, or initial and trailing metadata; names in lower case, repeated ones joined."""
    violations: dict[str, str] = field(default_factory=dict)
    """Field -> what is wrong with it."""
    details: dict[str, Any] = field(default_factory=dict)
    """gRPC: messages of google.rpc by their name. HTTP: the members of the problem."""
    status: int = 0
    """Of HTTP, or the number of the gRPC code."""


class Served(Protocol):
    """A service that is being served, as its clients see it."""

    service: ChainLab

    async def call(
        self,
        method: str,
        request: Task | Glance | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Outcome:
        """One request, one reply."""
        ...

    async def watch(
        self,
        request: Glance,
        *,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Outcome:
        """One request, many replies, until the stream ends."""
        ...


class Transport(Protocol):
    """A way to call."""

    kind: str
    """As `Call.kind`."""

    def serving(self, *chain: Middleware) -> AbstractAsyncContextManager[Served]:
        """Serve a new ChainLab behind this chain, in the test's own loop."""
        ...


def whole(chain: tuple[Middleware, ...]) -> tuple[Middleware, ...]:
    """What no chain may be without around what a test gives."""
    return (recovery(log_error(_LOG)), *chain, validation())


class HttpServed:
    """Called through the app's own dispatch."""

    def __init__(self, service: ChainLab, client: httpx.AsyncClient) -> None:
        self.service = service
        self.client = client
        self._operations: Mapping[str, Operation] = registry().operations(SERVICE)

    async def call(
        self,
        method: str,
        request: Task | Glance | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Outcome:
        """One request by the operation's primary rule."""
        operation = self._operations[method]
        rule = operation.rules[0]
        asked = request if request is not None else _empty(operation.request)
        values = registry().json_out.dumper(operation.request)(asked)
        path = rule.template.text
        for variable in rule.template.variables:
            value = quote(values.pop(variable.field) or "-", safe="")
            path = path.replace(f"{{{variable.field}}}", value)
        told = {"accept-language": language, **(headers or {})}
        if rule.body:
            told.setdefault("content-type", "application/json")
            content = orjson.dumps(values)
            answer = await self.client.request(rule.method, path, content=content, headers=told)
        else:
            answer = await self.client.request(rule.method, path, params=values, headers=told)
        return self._read(operation, answer)

    async def watch(
        self,
        request: Glance,
        *,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Outcome:
        """One request, many events, until the stream ends."""
        told = {"accept-language": language, **(headers or {})}
        path = f"/v1/lab/chain/watch/{quote(request.name or '-', safe='')}"
        answer = await self.client.get(path, params={"count": request.count}, headers=told)
        operation = self._operations["Watch"]
        if answer.headers["content-type"] != "text/event-stream":
            return self._read(operation, answer)
        outcome = Outcome(_OK, "", headers=dict(answer.headers), status=answer.status_code)
        load = registry().json_in.loader(operation.response)
        for event in answer.text.removesuffix("\n\n").split("\n\n"):
            kind, _, data = event.rpartition("data: ")
            if kind == "event: error\n":
                found = orjson.loads(data)
                outcome.reason = found["type"].rpartition(":")[2]
                outcome.details = found
            elif data:
                reply = registry().codec.from_upb(operation.response)(load(orjson.loads(data)))
                outcome.replies.append(reply)
        return outcome

    def _read(self, operation: Operation, answer: httpx.Response) -> Outcome:
        body = orjson.loads(answer.content) if answer.content else {}
        told = dict(answer.headers)
        if answer.status_code == 200:
            message = registry().json_in.loader(operation.response)(body)
            reply = registry().codec.from_upb(operation.response)(message)
            return Outcome(_OK, "", reply, headers=told, status=200)
        return Outcome(
            body["type"].rpartition(":")[2],
            ": ".join(filter(None, (body["title"], body["detail"]))),
            headers=told,
            violations={each["field"]: each["message"] for each in body["errors"]},
            details=body,
            status=answer.status_code,
        )


class HttpTransport:
    """ASGI, as an HTTP client drives it."""

    kind = "http"

    @asynccontextmanager
    async def serving(self, *chain: Middleware) -> AsyncIterator[HttpServed]:
        """An app in the profile `problem`, which names reasons."""
        service = ChainLab()
        profile = Problem(registry().catalogue, registry().translate)
        app = HttpApp(registry(), whole(chain), profile, tokens=FakeTokens())
        app.mount(chain_service(service))
        transport = httpx.ASGITransport(
            app=app,
            raise_app_exceptions=False,
            client=(CLIENT, 4711),
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://lab") as client:
            yield HttpServed(service, client)


class GrpcServed:
    """Called through a connection."""

    def __init__(self, service: ChainLab, channel: Any) -> None:
        self.service = service
        self.channel = channel
        self._operations: Mapping[str, Operation] = registry().operations(SERVICE)

    async def call(
        self,
        method: str,
        request: Task | Glance | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Outcome:
        """One request, one reply."""
        call = self._begin("unary_unary", method, request, headers, language)
        try:
            reply = await call
        except grpc.aio.AioRpcError as error:
            return _refused(error)
        return Outcome(_OK, "", reply, headers=await _metadata(call))

    async def watch(
        self,
        request: Glance,
        *,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Outcome:
        """One request, many replies, until the stream ends."""
        call = self._begin("unary_stream", "Watch", request, headers, language)
        replies: list[Any] = []
        try:
            async for reply in call:
                replies.append(reply)  # noqa: PERF401 - kept when the stream breaks
        except grpc.aio.AioRpcError as error:
            outcome = _refused(error)
        else:
            outcome = Outcome(_OK, "")
        outcome.headers = await _metadata(call)
        outcome.replies = replies
        return outcome

    def _begin(
        self,
        kind: str,
        method: str,
        request: Task | Glance | None,
        headers: Mapping[str, str] | None,
        language: str,
    ) -> Any:
        operation, codec = self._operations[method], registry().codec
        stub = getattr(self.channel, kind)(
            f"/{operation.name}",
            codec.encoder(operation.request),
            codec.decoder(operation.response),
        )
        asked = request if request is not None else _empty(operation.request)
        metadata = {"accept-language": language, **(headers or {})}
        return stub(asked, metadata=tuple(metadata.items()))


class GrpcTransport:
    """grpc.aio on a free port of this host."""

    kind = "grpc"

    @asynccontextmanager
    async def serving(self, *chain: Middleware) -> AsyncIterator[GrpcServed]:
        """A server, and a channel to it."""
        service = ChainLab()
        async with (
            serving(
                registry(),
                Mounted(whole(chain), [chain_service(service)]),
                GrpcSettings(host="127.0.0.1", port=0),
                FakeTokens(),
                _LOG,
            ) as running,
            grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel,
        ):
            yield GrpcServed(service, channel)


every_transport = pytest.mark.parametrize(
    "transport", [HttpTransport(), GrpcTransport()], ids=lambda each: each.kind
)
every_streaming_transport = every_transport
"""Those whose `Served` has `watch`."""


def _empty(name: str) -> Any:
    return Glance() if name == "lab.v1.Glance" else Task()


async def _metadata(call: Any) -> dict[str, str]:
    return _joined(await call.initial_metadata(), await call.trailing_metadata())


def _joined(*parts: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts:
        for name, value in part or ():
            if name != DETAILS:
                found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _refused(error: grpc.aio.AioRpcError) -> Outcome:
    trailers = dict(error.trailing_metadata() or ())
    details: dict[str, Any] = {}
    for each in status_pb2.Status.FromString(trailers.get(DETAILS, b"")).details:
        held = [kind() for kind in _DETAILS if each.Is(kind.DESCRIPTOR)]
        assert len(held) == 1, each.type_url
        each.Unpack(held[0])
        details[held[0].DESCRIPTOR.name] = held[0]
    code = error.code()
    wrong = details["BadRequest"].field_violations if "BadRequest" in details else ()
    return Outcome(
        details["ErrorInfo"].reason if details else f"-{code.name}",
        error.details() or "",
        headers=_joined(error.initial_metadata(), error.trailing_metadata()),
        violations={each.field: each.description for each in wrong},
        details=details,
        status=code.value[0],
    )
