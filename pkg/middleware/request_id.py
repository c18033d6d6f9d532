"""Gives every call an id that the caller, the logs and the services behind agree on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pkg.rpc import Call, Handler, Middleware, Operation
    from pkg.tokens import Tokens

HEADER = "x-request-id"
_VALID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


def request_id(tokens: Tokens) -> Middleware:
    """Take the caller's `x-request-id` or make one, and send it back with the reply.

    What is not 1 to 128 letters, digits, dots, dashes or underscores is replaced: an id is copied
    into logs and headers.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        def identified(call: Call, payload: Any) -> Awaitable[Any]:
            given = call.headers.get(HEADER)
            call.request_id = given if given and _VALID.fullmatch(given) else tokens.hex(16)
            call.reply_headers.append((HEADER, call.request_id))
            return handler(call, payload)

        return identified

    return wrap
