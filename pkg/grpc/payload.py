"""Requests as they come in: bytes that become checked messages only when they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from pkg.errors.fault import Fault, Violation

if TYPE_CHECKING:
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry

_A_MOMENT: Final = 0.001
"""In seconds: more than a cancellation takes from gRPC's thread to the loop."""

Read = Callable[[bytes], Any]
"""Bytes to the checked message; raises Fault."""


class Unary:
    """The payload of one request message."""

    __slots__ = ("_raw", "_read")

    def __init__(self, raw: bytes, read: Read) -> None:
        self._raw = raw
        self._read = read

    def message(self) -> Any:
        """The checked message.

        Raises:
            Fault: INVALID_ARGUMENT, with what is wrong where.
        """
        return self._read(self._raw)


class Stream:
    """The payload of a stream of request messages."""

    __slots__ = ("_raws", "_read")

    def __init__(self, raws: AsyncIterable[bytes], read: Read) -> None:
        self._raws = raws
        self._read = read

    async def message(self) -> AsyncIterator[Any]:
        """The messages, each checked when its turn comes; a bad one ends the stream by a Fault."""
        async for raw in self._raws:
            yield self._read(raw)
        # grpc.aio ends the requests of a caller who is gone like any others, and cancels the task
        # a moment later: wait for that, so that a part is not taken for the whole.
        await asyncio.sleep(_A_MOMENT)


def reader(registry: Registry, operation: Operation) -> Read:
    """How the operation's requests are read: parsed, checked by their rules, made an object."""
    has_rules = registry.rules.has(operation.request)
    decode = registry.codec.decoder(operation.request)
    parse = registry.schema.message(operation.request).FromString
    from_upb = registry.codec.from_upb(operation.request)
    check = registry.rules.check

    def read(raw: bytes) -> Any:
        try:
            if not has_rules:
                return decode(raw)
            message = parse(raw)
            check(message)
            return from_upb(message)
        except DecodeError as error:
            raise Fault(
                "INVALID_ARGUMENT",
                violations=(Violation("", "wire", "the bytes are not such a message"),),
            ) from error

    return read
