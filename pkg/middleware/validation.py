"""Turns what came in into the message that the service sees, checked.

Last of the chain, so that a call that is refused anyway is never parsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pkg.rpc import Call, Handler, Middleware, Operation, Payload


def validation() -> Middleware:
    """Hand the handler `payload.message()`; what is malformed or breaks a rule is INVALID_ARGUMENT.

    A hand-written route has no request message: its payload passes as it is.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        if not operation.request:
            return handler

        def checked(call: Call, payload: Payload) -> Awaitable[Any]:
            message = payload.message()
            if not operation.client_streaming:
                call.request = message
            return handler(call, message)

        return checked

    return wrap
