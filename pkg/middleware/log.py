"""One log line for every call: what, how it ended, how long it took, who and from where.

Never a body, a header or a token.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pkg.middleware.outcome import OURS, reason_of

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.rpc import Call, Handler, Middleware, Operation


def log(logger: logging.Logger, clock: Clock) -> Middleware:
    """Log calls with the fields operation, transport, reason, ms, peer and uid.

    What says something of the service rather than of the caller is a warning.
    A server stream is one line, when it has ended.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        async def logged(call: Call, payload: Any) -> Any:
            start = clock.monotonic()
            try:
                reply = await handler(call, payload)
            except BaseException as error:
                _write(logger, call, reason_of(error), clock.monotonic() - start)
                raise
            _write(logger, call, reason_of(None), clock.monotonic() - start)
            return reply

        return logged

    return wrap


def _write(logger: logging.Logger, call: Call, reason: str, seconds: float) -> None:
    level = logging.WARNING if reason in OURS else logging.INFO
    if not logger.isEnabledFor(level):
        return
    name, principal = call.operation.name, call.principal
    # Made by hand: `logger.log` would look for the line of code that logs, which nobody is told.
    record = logger.makeRecord(
        logger.name,
        level,
        "",
        0,
        f"{name} {reason}",
        (),
        None,
        extra={
            "operation": name,
            "transport": call.kind,
            "reason": reason,
            "ms": round(seconds * 1000, 3),
            "peer": call.peer,
            "uid": "" if principal is None else principal.subject,
        },
    )
    logger.handle(record)
