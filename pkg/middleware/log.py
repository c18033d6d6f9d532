"""One log line for every call: what, how it ended, how long it took, who and from where.

Never a body, a header or a token.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pkg.middleware.outcome import OK, OURS, reason_of

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.log.lines import Lines, Write
    from pkg.rpc import Call, Handler, Middleware, Operation


def log(lines: Lines, clock: Clock) -> Middleware:
    """Log calls with the fields operation, transport, reason, ms, peer and uid.

    What says something of the service rather than of the caller is a warning.
    A server stream is one line, when it has ended.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        kinds: dict[tuple[str, str], Write] = {}

        def write(call: Call, reason: str, seconds: float) -> None:
            kind = kinds.get((call.kind, reason))
            if kind is None:
                kind = kinds[call.kind, reason] = _kind(lines, operation, call.kind, reason)
            principal = call.principal
            kind(
                {
                    "ms": round(seconds * 1_000_000) / 1000,
                    "peer": call.peer,
                    "uid": "" if principal is None else principal.subject,
                }
            )

        async def logged(call: Call, payload: Any) -> Any:
            start = clock.monotonic()
            try:
                reply = await handler(call, payload)
            except BaseException as error:
                write(call, reason_of(error), clock.monotonic() - start)
                raise
            write(call, OK, clock.monotonic() - start)
            return reply

        return logged

    return wrap


def _kind(lines: Lines, operation: Operation, transport: str, reason: str) -> Write:
    """What writes of the calls that ended like this."""
    return lines.alike(
        logging.WARNING if reason in OURS else logging.INFO,
        f"{operation.name} {reason}",
        {"operation": operation.name, "transport": transport, "reason": reason},
    )
