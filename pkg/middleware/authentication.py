"""Finds out who calls.

Only `Authorization: Bearer <token>` is looked at, and only where the operation is not public: a
public operation neither sees nor pays for a token.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from pkg.errors import Fault
from pkg.rpc import Auth, Call, Handler, Middleware, Operation, Principal

HEADER = "authorization"
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,8192}=*) *", re.ASCII | re.IGNORECASE)


class Authenticator(Protocol):
    """Says whose token this is."""

    async def authenticate(self, token: str) -> Principal:
        """The holder of a token that is genuine, in time and not revoked.

        Raises:
            Fault: UNAUTHENTICATED; TOKEN_EXPIRED; UNAVAILABLE when it cannot be told.
        """
        ...


def authentication(authenticator: Authenticator) -> Middleware:
    """Put the principal into the call, or refuse with UNAUTHENTICATED."""

    def wrap(handler: Handler, operation: Operation) -> Handler:
        if operation.auth is Auth.PUBLIC:
            return handler

        async def authenticated(call: Call, payload: Any) -> Any:
            found = _BEARER.fullmatch(call.headers.get(HEADER, ""))
            if found is None:
                raise Fault("UNAUTHENTICATED")
            call.principal = await authenticator.authenticate(found[1])
            return await handler(call, payload)

        return authenticated

    return wrap
