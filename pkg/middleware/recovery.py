"""Turns a defect into the fault that the caller may see.

Guarantees that nothing but `Fault` and cancellation leaves the chain, that what went wrong is
reported once with its stack, and that none of it reaches the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pkg.errors import Fault
from pkg.rpc import Call, Handler, Middleware, Operation

if TYPE_CHECKING:
    import logging

OnError = Callable[[Call, Exception], None]
"""Is told of every defect, while its traceback is at hand. Must not block."""


def recovery(on_error: OnError) -> Middleware:
    """Answer INTERNAL to whatever is neither a fault nor a cancellation.

    A report that fails changes nothing for the caller, and shows in the traceback chain of what
    `on_error` was told.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        async def recovered(call: Call, payload: Any) -> Any:
            try:
                return await handler(call, payload)
            except Fault:
                raise
            except Exception as error:
                fault = Fault("INTERNAL")
                try:
                    on_error(call, error)
                except Exception as broken:
                    raise fault from broken
                raise fault from error

        return recovered

    return wrap


def log_error(logger: logging.Logger) -> OnError:
    """Report defects to a log, with the stack."""

    def report(call: Call, error: Exception) -> None:
        logger.error(
            "%s failed: %s",
            call.operation.name,
            type(error).__name__,
            exc_info=error,
            extra={"operation": call.operation.name, "transport": call.kind},
        )

    return report
