"""What serves one route: a binding of an RPC, or a hand-written ASGI endpoint, inside the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pkg.errors import Fault
from pkg.http.body import read_body, refuse_media
from pkg.http.incoming import Incoming, reader
from pkg.http.outgoing import send_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkg.http.asgi import Receive, Scope, Send
    from pkg.http.headers import Headers
    from pkg.http.profile import Profile
    from pkg.proto.http_rule import HttpRule
    from pkg.rpc.call import Call
    from pkg.rpc.chain import Handler
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry


class Interrupted(Exception):  # noqa: N818 - the connection ends with it; its cause is the error
    """Something went wrong when the answer had begun: all that is left is to cut it off."""


class Endpoint(Protocol):
    """Serves the calls of one route."""

    operation: Operation

    async def serve(
        self,
        call: Call,
        headers: Headers,
        variables: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer a call. What is raised before the answer has begun is answered by the caller.

        Raises:
            ClientGone: there is nobody to answer.
            Interrupted: the answer has begun.
            Exception: whatever the chain raises.
        """
        ...


class ReadRequest:
    """Reads the requests of one google.api.http binding."""

    __slots__ = ("_limit", "_read", "_takes_body")

    def __init__(
        self, registry: Registry, operation: Operation, rule: HttpRule, limit: int
    ) -> None:
        """`limit`: of the body, in bytes."""
        self._read = reader(registry, operation.request, rule)
        self._limit = limit
        self._takes_body = bool(rule.body)

    async def __call__(
        self, headers: Headers, variables: Mapping[str, str], scope: Scope, receive: Receive
    ) -> Incoming:
        """The chain's payload.

        Raises:
            ClientGone: the client left before the end of its body.
        """
        body = b""
        refusal: Fault | None = None
        if self._takes_body:
            try:
                body = await read_body(receive, headers, self._limit)
                if body:
                    refuse_media(headers)
            except Fault as fault:
                # Raised inside the chain, where refusals are counted, logged and authenticated.
                refusal = fault
        return Incoming(self._read, body, scope["query_string"], variables, refusal)


class ProtoEndpoint:
    """One google.api.http binding of a unary RPC."""

    __slots__ = ("_dump", "_handler", "_profile", "_read", "operation")

    def __init__(
        self,
        operation: Operation,
        handler: Handler,
        read: ReadRequest,
        dump: Callable[[Any], Any],
        profile: Profile,
    ) -> None:
        """`handler`: the composed chain; `dump` makes of a reply what orjson takes."""
        self.operation = operation
        self._handler = handler
        self._read = read
        self._dump = dump
        self._profile = profile

    async def serve(
        self,
        call: Call,
        headers: Headers,
        variables: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer with the handler's reply message, in the profile."""
        incoming = await self._read(headers, variables, scope, receive)
        message = await self._handler(call, incoming)
        reply = self._profile.success(self._dump(message), call)
        await send_reply(send, reply, call)


def dumper(registry: Registry, response: str, rule: HttpRule) -> Callable[[Any], Any]:
    """What makes of the reply message what orjson takes: all of it, or its `response_body`."""
    whole = registry.json_out.dumper(response)
    if not rule.response_body:
        return whole
    descriptor = registry.schema.pool.FindMessageTypeByName(response)
    key = descriptor.fields_by_name[rule.response_body].json_name
    return lambda message: whole(message)[key]
