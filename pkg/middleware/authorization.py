"""Lets a role call what the policies allow it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pkg.errors import Fault
from pkg.rpc import Auth, Call, Handler, Middleware, Operation

if TYPE_CHECKING:
    from collections.abc import Awaitable


class Authorizer(Protocol):
    """Knows the policies."""

    def allowed(self, role: str, resource: str, action: str) -> bool:
        """May the role do this? False where it cannot be told. Called on every request."""
        ...


def authorization(authorizer: Authorizer) -> Middleware:
    """Refuse with PERMISSION_DENIED what the caller's role may not do.

    An operation that is public or open to whoever is signed in is left alone.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        if operation.auth is not Auth.PERMITTED:
            return handler
        resource, action = operation.resource, operation.action

        def authorized(call: Call, payload: Any) -> Awaitable[Any]:
            if not authorizer.allowed(call.caller.role, resource, action):
                raise Fault("PERMISSION_DENIED")
            return handler(call, payload)

        return authorized

    return wrap
