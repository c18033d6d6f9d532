"""A channel that makes its calls on other channels: the four shapes of a call in one place.

Whoever picks an instance, or tries again, has two methods to write: one for a single reply, one for
a stream of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from pkg.rpc.channel import Channel

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")

One = Callable[["Channel", "timedelta | None"], Awaitable[ReplyT]]
"""Makes the call on a channel, within a time, and gives its reply."""
Many = Callable[["Channel", "timedelta | None"], AsyncGenerator[ReplyT, None]]
"""The same for a stream of replies. To close it is to cancel the call."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A call that is to be made."""

    operation: str
    timeout: timedelta | None
    headers: Mapping[str, str] | None
    once: bool
    """Its requests are a stream, which is used up by the first try."""


class Relay(ABC):
    """A `pkg.rpc.Channel` around others."""

    @abstractmethod
    async def reply(self, call: Outgoing, make: One[ReplyT]) -> ReplyT:
        """Make a call that has one reply."""

    @abstractmethod
    def replies(self, call: Outgoing, make: Many[ReplyT]) -> AsyncIterator[ReplyT]:
        """Make a call that has many."""

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

        def make(channel: Channel, left: timedelta | None) -> Awaitable[ReplyT]:
            return channel.unary_unary(
                operation, request, request_type, reply_type, timeout=left, headers=headers
            )

        return await self.reply(Outgoing(operation, timeout, headers, once=False), make)

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
        """Many requests, one reply."""

        def make(channel: Channel, left: timedelta | None) -> Awaitable[ReplyT]:
            return channel.stream_unary(
                operation, requests, request_type, reply_type, timeout=left, headers=headers
            )

        return await self.reply(Outgoing(operation, timeout, headers, once=True), make)

    def unary_stream(
        self,
        operation: str,
        request: RequestT,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]:
        """One request, many replies. Leaving the iteration cancels the call."""

        def make(channel: Channel, left: timedelta | None) -> AsyncGenerator[ReplyT, None]:
            replies = channel.unary_stream(
                operation, request, request_type, reply_type, timeout=left, headers=headers
            )
            return cast("AsyncGenerator[ReplyT, None]", replies)

        return self.replies(Outgoing(operation, timeout, headers, once=False), make)

    def stream_stream(
        self,
        operation: str,
        requests: AsyncIterable[RequestT],
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]:
        """Many requests, many replies, each at its own pace."""

        def make(channel: Channel, left: timedelta | None) -> AsyncGenerator[ReplyT, None]:
            replies = channel.stream_stream(
                operation, requests, request_type, reply_type, timeout=left, headers=headers
            )
            return cast("AsyncGenerator[ReplyT, None]", replies)

        return self.replies(Outgoing(operation, timeout, headers, once=True), make)
