"""Middleware that stands behind `validation`, put into a chain that a transport ends with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.middleware import validation
from pkg.rpc import compose

if TYPE_CHECKING:
    from pkg.rpc import Call, Handler, Middleware, Operation


class _Checked:
    """A message that is checked already, as a payload."""

    def __init__(self, message: Any) -> None:
        self._message = message

    def message(self) -> Any:
        """The message."""
        return self._message


def _payload(handler: Handler, _operation: Operation, /) -> Handler:
    async def as_payload(call: Call, message: Any) -> Any:
        return await handler(call, _Checked(message))

    return as_payload


def behind_validation(*middlewares: Middleware) -> Middleware:
    """One middleware: `validation`, these, and what hands their message to the next one."""

    def wrap(handler: Handler, operation: Operation) -> Handler:
        if operation.streams:
            return handler
        return compose((validation(), *middlewares, _payload), handler, operation)

    return wrap
