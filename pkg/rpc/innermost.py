"""A service's methods as what stands innermost in a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.rpc.call import Call
    from pkg.rpc.chain import Handler
    from pkg.rpc.operation import Operation


def innermost(operation: Operation, method: Callable[..., Any]) -> Handler:
    """The handler that calls the method, and sends its replies if it has many."""
    return _sending(method) if operation.server_streaming else _returning(method)


def _returning(method: Callable[..., Any]) -> Handler:
    return lambda call, request: method(request, call)


def _sending(method: Callable[..., Any]) -> Handler:
    async def call_it(call: Call, request: Any) -> None:
        replies = method(request, call)
        try:
            async for reply in replies:
                if call.send is None:
                    raise LookupError(f"{call.operation.name}: nowhere to send replies to")
                await call.send(reply)
        finally:
            if (close := getattr(replies, "aclose", None)) is not None:
                await close()

    return call_it
