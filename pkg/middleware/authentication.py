"""Finds out who calls.

Only `Authorization: Bearer <token>` is looked at, and only where the operation is not public: a
public operation neither sees nor pays for a token.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from pkg.errors import Fault
from pkg.rpc import Auth, Call, Handler, Middleware, Operation, Principal

HEADER = "authorization"
_LONGEST: Final = 8192
"""Characters of a token."""


class Authenticator(Protocol):
    """Says whose token this is."""

    async def authenticate(self, token: str) -> Principal:
        """The holder of a token that is genuine, in time and not revoked.

        `token`: one word of ASCII, of at most 8192 characters.

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
            token = _bearer(call.headers.get(HEADER, ""))
            if not token:
                raise Fault("UNAUTHENTICATED")
            call.principal = await authenticator.authenticate(token)
            return await handler(call, payload)

        return authenticated

    return wrap


def _bearer(header: str) -> str:
    """The token; empty where there is none, or more than one word of ASCII.

    What a token consists of is the authenticator's to judge. A pattern that looks at each letter
    costs more than everything else here.
    """
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer" and scheme.lower() != "bearer":
        return ""
    if " " in token:
        token = token.strip(" ")
    if " " in token or len(token) > _LONGEST or not token.isascii():
        return ""
    return token
