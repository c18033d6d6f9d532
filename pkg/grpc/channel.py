"""What generated clients call other services through, on grpc.aio.

Within a call, what it is part of goes along: what is left of its deadline, its language, trace and
request id, and the caller's `authorization` where the settings say so. A refusal by the other side
is raised as the `Fault` that it was there. Where the trace is recorded, each call is a span of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import grpc
import grpc.aio

from pkg.errors.fault import Fault
from pkg.grpc.sending import Sending
from pkg.grpc.settings import GrpcChannelSettings
from pkg.grpc.status import fault_of
from pkg.rpc.call import current_call
from pkg.trace.propagation import inject
from pkg.trace.span import Leaf

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
    from datetime import timedelta
    from types import TracebackType

    from pkg.rpc.registry import Registry
    from pkg.trace.span import Span

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")


class GrpcChannel:
    """A `pkg.rpc.Channel` to one target, e.g. `user:9000` or `dns:///user:9000`.

    Belongs to the loop in which it is entered; calls are made while it is.
    """

    def __init__(
        self,
        target: str,
        registry: Registry,
        settings: GrpcChannelSettings | None = None,
    ) -> None:
        self._target = target
        self._codec = registry.codec
        self._settings = settings or GrpcChannelSettings()
        self._channel: Any = None
        self._made: dict[str, Any] = {}

    @property
    def failing(self) -> bool:
        """Whether it could not connect, and has not managed to since."""
        state = None if self._channel is None else self._channel.get_state()
        return state is grpc.ChannelConnectivity.TRANSIENT_FAILURE

    async def __aenter__(self) -> Self:
        """Open the channel. It connects when it is first called."""
        self._channel = grpc.aio.insecure_channel(self._target, self._settings.options())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the channel; calls that still run are cancelled."""
        self._made.clear()
        channel, self._channel = self._channel, None
        await channel.close()

    async def unary_unary(
        self,
        operation: str,
        request: RequestT,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - it travels to the server, as Channel says
        headers: Mapping[str, str] | None,
    ) -> ReplyT:
        """One request, one reply."""
        stub = self._stub("unary_unary", operation, request_type, reply_type)
        with _span(operation) as span:
            try:
                return cast("ReplyT", await stub(request, **self._context(timeout, headers, span)))
            except grpc.aio.AioRpcError as error:
                raise fault_of(error) from error

    async def stream_unary(
        self,
        operation: str,
        requests: AsyncIterable[RequestT],
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - it travels to the server, as Channel says
        headers: Mapping[str, str] | None,
    ) -> ReplyT:
        """Many requests, one reply. What `requests` raises ends the call and is raised."""
        stub = self._stub("stream_unary", operation, request_type, reply_type)
        with _span(operation) as span:
            call = stub(**self._context(timeout, headers, span))
            sending = Sending(call, requests, self._encoder(request_type))
            try:
                return cast("ReplyT", await call)
            except grpc.aio.AioRpcError as error:
                raise fault_of(error) from error
            except asyncio.CancelledError:
                sending.reraise()
                raise
            finally:
                await sending.stop()

    async def unary_stream(
        self,
        operation: str,
        request: RequestT,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - it travels to the server, as Channel says
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]:
        """One request, many replies. Leaving the iteration cancels the call."""
        stub = self._stub("unary_stream", operation, request_type, reply_type)
        with _span(operation) as span:
            call = stub(request, **self._context(timeout, headers, span))
            async for reply in _replies(call):
                yield reply

    async def stream_stream(
        self,
        operation: str,
        requests: AsyncIterable[RequestT],
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - it travels to the server, as Channel says
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]:
        """Many requests, many replies, each at its own pace."""
        stub = self._stub("stream_stream", operation, request_type, reply_type)
        with _span(operation) as span:
            call = stub(**self._context(timeout, headers, span))
            sending = Sending(call, requests, self._encoder(request_type))
            try:
                async for reply in _replies(call):
                    yield reply
            except asyncio.CancelledError:
                sending.reraise()
                raise
            finally:
                call.cancel()  # nothing, for a call that is over
                await sending.stop()

    def _stub(self, shape: str, operation: str, asks: type[Any], answers: type[Any]) -> Any:
        stub = self._made.get(operation)
        if stub is None:
            if self._channel is None:
                raise RuntimeError(f"{operation}: the channel to {self._target} is not open")
            stub = self._made[operation] = getattr(self._channel, shape)(
                f"/{operation}",
                None if shape.startswith("stream") else self._encoder(asks),  # see Sending
                self._codec.decoder(self._codec.name_of(answers)),
            )
        return stub

    def _encoder(self, cls: type[Any]) -> Callable[[Any], bytes]:
        return self._codec.encoder(self._codec.name_of(cls))

    def _context(
        self, timeout: timedelta | None, headers: Mapping[str, str] | None, span: Span | None
    ) -> dict[str, Any]:
        """Deadline and metadata: what is asked for here, within what the current call allows."""
        sent: dict[str, str] = {}
        seconds = None if timeout is None else timeout.total_seconds()
        call = current_call.get()
        if call is not None:
            sent["accept-language"] = call.language
            if call.request_id:
                sent["x-request-id"] = call.request_id
            if self._settings.forward_authorization and (
                token := call.headers.get("authorization")
            ):
                sent["authorization"] = token
            if call.deadline is not None:
                left = call.deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    raise Fault("DEADLINE_EXCEEDED")
                seconds = left if seconds is None else min(seconds, left)
        inject(sent, span)
        if headers:
            sent.update(headers)
        if seconds is None:
            seconds = self._settings.timeout.total_seconds()
        return {"timeout": seconds, "metadata": tuple(sent.items())}


def _span(operation: str) -> Leaf:
    return Leaf(operation, "client", {"rpc.system.name": "grpc", "rpc.method": operation})


async def _replies(call: Any) -> AsyncGenerator[Any, None]:
    try:
        async for reply in call:
            yield reply
    except grpc.aio.AioRpcError as error:
        raise fault_of(error) from error
    finally:
        call.cancel()  # nothing, for a call that is over
