"""The ASGI app: every route inside the chain, every answer in the profile.

A request goes straight from the router into the chain that was composed when its route was mounted.
What no route takes is offered to the fallback app, which has pages that are nobody's operation
(documentation), and is else refused from inside the chain, so that it is limited, counted and
logged too.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.clock import pause as real_pause
from pkg.errors import Fault
from pkg.http.asgi import raw_path
from pkg.http.body import ClientGone
from pkg.http.endpoint import Interrupted, ProtoEndpoint, ReadRequest, dumper
from pkg.http.events import EventsEndpoint
from pkg.http.headers import Headers
from pkg.http.lifespan import lifespan
from pkg.http.outgoing import failure, headers_of, send_reply
from pkg.http.router import Router
from pkg.http.timeout import HEADER, seconds_of
from pkg.http.unmatched import Unmatched
from pkg.rpc.call import Call, current_call
from pkg.rpc.chain import compose
from pkg.rpc.innermost import innermost
from pkg.rpc.language import Languages
from pkg.rpc.trace import trace_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkg.clock import Pause
    from pkg.http.asgi import AsgiApp, Receive, Scope, Send
    from pkg.http.endpoint import Endpoint
    from pkg.http.profile import Profile, Reply
    from pkg.proto.http_rule import HttpRule
    from pkg.rpc.bound import Bound
    from pkg.rpc.chain import Handler, Middleware
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

MAX_BODY: Final = 4 << 20
"""Bytes of a request body, where nobody says otherwise."""

HEARTBEAT: Final = timedelta(seconds=15)

_LOG: Final = logging.getLogger(__name__)


class HttpApp:
    """Serves the operations that are mounted on it. Mount all of them before the first request."""

    def __init__(
        self,
        registry: Registry,
        chain: Sequence[Middleware],
        profile: Profile,
        fallback: AsgiApp | None = None,
        *,
        tokens: Tokens,
        max_body: int = MAX_BODY,
        heartbeat: timedelta = HEARTBEAT,
        pause: Pause = real_pause,
    ) -> None:
        """Make an app that has no routes yet.

        Args:
            fallback: gets what no route takes, outside the chain; see `pkg.http.hand_written`.
            tokens: gives trace ids.
            max_body: in bytes; a hand-written route may have its own limit.
            heartbeat: between two signs of life in a stream of events.
            pause: lets that time pass.
        """
        self.registry = registry
        self.profile = profile
        self.fallback = fallback
        self.max_body = max_body
        self._chain = tuple(chain)
        self._tokens = tokens
        self._heartbeat = heartbeat
        self._pause = pause
        self._languages = Languages()
        self._router: Router[Endpoint] = Router()
        self._operations: list[Operation] = []
        self._unmatched = Unmatched(self.composed, self._router)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What has been mounted, in that order; hand-written routes too."""
        return tuple(self._operations)

    def composed(self, handler: Handler, operation: Operation) -> Handler:
        """The handler inside the app's chain."""
        return compose(self._chain, handler, operation)

    def mount(self, bound: Bound) -> None:
        """Serve every RPC of a service that has an HTTP rule.

        A stream of replies is served as events. A stream of requests is gRPC's alone: one that has
        a rule all the same is passed over.

        Raises:
            ValueError: two rules take the same paths.
        """
        for name, operation in self.registry.operations(bound.service).items():
            if operation.client_streaming or not operation.rules:
                continue
            handler = self.composed(innermost(operation, bound.methods[name]), operation)
            self._operations.append(operation)
            for rule in operation.rules:
                endpoint = self._endpoint(operation, rule, handler)
                self._router.add(rule.method, rule.template, endpoint)

    def add(self, endpoint: Endpoint) -> None:
        """Serve an endpoint at the rules of its operation.

        Raises:
            ValueError: another route takes the same paths.
        """
        for rule in endpoint.operation.rules:
            self._router.add(rule.method, rule.template, endpoint)
        self._operations.append(endpoint.operation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await lifespan(self.fallback, scope, receive, send)
            return
        path = raw_path(scope)
        found = self._router.find(scope["method"], path)
        if found is not None:
            await self._serve(found[0], found[1], scope, receive, send)
        elif self.fallback is not None and not self._router.methods(path):
            await self.fallback(scope, receive, send)
        else:
            await self.unmatched(scope, receive, send)

    async def unmatched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request that no route takes; an ASGI app."""
        await self._serve(self._unmatched, {}, scope, receive, send)

    def refusal(
        self, error: Exception, headers: list[tuple[str, str]], scope: Scope
    ) -> tuple[Reply, list[tuple[bytes, bytes]]]:
        """An answer in the profile, and its headers, for a fallback app to which an error came."""
        call = self._call(self._unmatched.operation, scope, Headers(scope["headers"]))
        call.reply_headers += headers
        reply = failure(self.profile, error, call)
        return reply, headers_of(reply, call)

    def _endpoint(self, operation: Operation, rule: HttpRule, handler: Handler) -> Endpoint:
        read = ReadRequest(self.registry, operation, rule, self.max_body)
        dump = dumper(self.registry, operation.response, rule)
        if not operation.server_streaming:
            return ProtoEndpoint(operation, handler, read, dump, self.profile)
        return EventsEndpoint(
            operation,
            handler,
            read,
            dump,
            self.profile,
            heartbeat=self._heartbeat,
            pause=self._pause,
        )

    async def _serve(
        self,
        endpoint: Endpoint,
        variables: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        headers = Headers(scope["headers"])
        call = self._call(endpoint.operation, scope, headers)
        before = current_call.set(call)
        try:
            await endpoint.serve(call, headers, variables, scope, receive, send)
        except ClientGone:
            return
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - the last one who can answer
            if not isinstance(error, Fault):
                _LOG.error(
                    "%s: nobody recovered from an error", call.operation.name, exc_info=error
                )
            await send_reply(send, failure(self.profile, error, call), call)
        finally:
            current_call.reset(before)

    def _call(self, operation: Operation, scope: Scope, headers: Headers) -> Call:
        client = scope.get("client")
        timeout = headers.raw(HEADER)
        seconds = None if timeout is None else seconds_of(timeout)
        return Call(
            "http",
            operation,
            headers,
            client[0] if client else "",
            self._languages.choose(headers.get("accept-language")),
            trace_id_of(headers.get("traceparent")) or self._tokens.hex(16),
            deadline=None if seconds is None else asyncio.get_running_loop().time() + seconds,
        )
