"""The chain that every transport runs: handlers around handlers, composed once at registration.

A handler takes the call and its payload and returns the reply message. On the way inward the
payload is first a `Payload` (raw, so that authentication and limits cost no parsing) and, from the
`validation` middleware on, the checked message; for a client stream, an async iterator of them. A
server stream sends its replies through `call.send` and returns None when it has ended, so that
whatever wraps it spans the whole stream.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pkg.rpc.call import Call

if TYPE_CHECKING:
    from pkg.rpc.operation import Operation

Handler = Callable[[Call, Any], Awaitable[Any]]
"""Called only to be awaited at once. One that does something before the next, and nothing after it,
is a plain function that returns what the next returns: a coroutine less for each call.
"""


class Middleware(Protocol):
    """Wraps a handler for one operation; returns it untouched where it has nothing to do there."""

    def __call__(self, handler: Handler, operation: Operation, /) -> Handler: ...


class Payload(Protocol):
    """A request as it came in."""

    def message(self) -> Any:
        """The checked message; for a client stream, an async iterator of them.

        Raises:
            Fault: INVALID_ARGUMENT, with what is wrong where.
        """
        ...


def compose(middlewares: Sequence[Middleware], handler: Handler, operation: Operation) -> Handler:
    """The handler inside all middlewares; the first of them is the outermost."""
    for middleware in reversed(middlewares):
        handler = middleware(handler, operation)
    return handler
