"""Operations as grpc.aio serves them: bytes in, through the chain, bytes out.

The chain of a server stream ends when the stream ends: its handler sends through `call.send`. When
a caller goes away, grpc.aio cancels the task, and the implementation's iterator is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from pkg.errors.fault import Fault
from pkg.grpc.metadata import address_of, headers_of
from pkg.grpc.payload import Stream, Unary, reader
from pkg.grpc.status import Statuses
from pkg.rpc.call import Call, current_call
from pkg.rpc.chain import Handler, Middleware, compose
from pkg.rpc.innermost import innermost
from pkg.rpc.language import Languages
from pkg.rpc.trace import trace_id_of

if TYPE_CHECKING:
    import logging

    from pkg.rpc.bound import Bound
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

_NEVER: Final = 1e9
"""Seconds. Of a call without a deadline grpc.aio says None, other engines a huge number."""

_Encode = Callable[[Any], bytes]
_Receive = Callable[[Any], Any]
"""What came in -> the chain's payload."""


class Handlers:
    """Makes the handlers of one server, inside its loop."""

    def __init__(
        self,
        registry: Registry,
        chain: Sequence[Middleware],
        tokens: Tokens,
        log: logging.Logger,
    ) -> None:
        self._registry = registry
        self._chain = tuple(chain)
        self._tokens = tokens
        self._log = log
        self._statuses = Statuses(registry)
        self._languages = Languages()

    def of(self, bound: Bound) -> Mapping[str, Any]:
        """gRPC method path -> handler, for every method of a service.

        Raises:
            KeyError: no such service, or a method of it is not bound.
        """
        return {
            f"/{operation.name}": self._handler(operation, bound.methods[name])
            for name, operation in self._registry.operations(bound.service).items()
        }

    def _handler(self, operation: Operation, method: Callable[..., Any]) -> Any:
        read = reader(self._registry, operation)
        encode = self._registry.codec.encoder(operation.response)

        def one(raw: bytes) -> Unary:
            return Unary(raw, read)

        def many(raws: AsyncIterable[bytes]) -> Stream:
            return Stream(raws, read)

        receive: _Receive = many if operation.client_streaming else one
        if operation.server_streaming:
            handler = compose(self._chain, innermost(operation, method), operation)
            stream = self._streaming(operation, handler, receive, encode)
            if operation.client_streaming:
                return grpc.stream_stream_rpc_method_handler(stream)
            return grpc.unary_stream_rpc_method_handler(stream)
        handler = compose(self._chain, innermost(operation, method), operation)
        serve = self._returning(operation, handler, receive, encode)
        if operation.client_streaming:
            return grpc.stream_unary_rpc_method_handler(serve)
        return grpc.unary_unary_rpc_method_handler(serve)

    def _returning(
        self, operation: Operation, handler: Handler, receive: _Receive, encode: _Encode
    ) -> Callable[[Any, Any], Awaitable[bytes]]:
        async def serve(incoming: Any, context: Any) -> bytes:
            call = self._enter(operation, context)
            try:
                reply = encode(await handler(call, receive(incoming)))
            except Exception as error:
                await self._refuse(context, call, error)
                raise
            if call.reply_headers:
                # Not initial metadata, which grpc.aio sends on its own: a tenth of the cost.
                context.set_trailing_metadata(tuple(call.reply_headers))
            return reply

        return serve

    def _streaming(
        self, operation: Operation, handler: Handler, receive: _Receive, encode: _Encode
    ) -> Callable[[Any, Any], Awaitable[None]]:
        async def serve(incoming: Any, context: Any) -> None:
            call = self._enter(operation, context)
            begun = False

            async def begin() -> None:
                nonlocal begun
                if not begun:
                    begun = True
                    if call.reply_headers:
                        headers = tuple(call.reply_headers)
                        call.reply_headers.clear()  # sent: not again in the trailers
                        await context.send_initial_metadata(headers)

            async def send(reply: Any) -> None:
                raw = encode(reply)
                try:
                    await begin()
                    await context.write(raw)
                except grpc.aio.BaseError as error:
                    # Nobody reads any more, and grpc.aio is about to cancel this task.
                    raise asyncio.CancelledError from error

            call.send = send
            try:
                await handler(call, receive(incoming))
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told its status
                await self._refuse(context, call, error)
            await begin()

        return serve

    def _enter(self, operation: Operation, context: Any) -> Call:
        headers = headers_of(context.invocation_metadata())
        left = context.time_remaining()
        if left is not None and left >= _NEVER:
            left = None
        call = Call(
            kind="grpc",
            operation=operation,
            headers=headers,
            peer=address_of(context.peer()),
            language=self._languages.choose(headers.get("accept-language")),
            trace_id=trace_id_of(headers.get("traceparent")) or self._tokens.hex(16),
            deadline=None if left is None else asyncio.get_running_loop().time() + left,
        )
        current_call.set(call)  # for the rest of this task, which serves this call alone
        return call

    async def _refuse(self, context: Any, call: Call, error: Exception) -> None:
        if not isinstance(error, Fault):
            # `recovery` tells of what the chain raises; this is what stands outside of it.
            self._log.error("%s failed", call.operation.name, exc_info=error)
        await self._statuses.refuse(context, call, error)
