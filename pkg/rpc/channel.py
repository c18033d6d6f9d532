"""What a generated client calls through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping
    from datetime import timedelta

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")


class Channel(Protocol):
    """Carries calls to one target. A refusal by the other side is raised as `Fault`."""

    async def unary_unary(
        self,
        operation: str,
        request: RequestT,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - it goes over the wire, as a deadline
        headers: Mapping[str, str] | None,
    ) -> ReplyT: ...

    async def stream_unary(
        self,
        operation: str,
        requests: AsyncIterable[RequestT],
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - it goes over the wire, as a deadline
        headers: Mapping[str, str] | None,
    ) -> ReplyT: ...

    def unary_stream(
        self,
        operation: str,
        request: RequestT,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]: ...

    def stream_stream(
        self,
        operation: str,
        requests: AsyncIterable[RequestT],
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]: ...
