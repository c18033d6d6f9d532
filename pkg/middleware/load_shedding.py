"""Refuses calls that would only wait, before anything else is done for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.errors import Fault

if TYPE_CHECKING:
    from pkg.rpc import Call, Handler, Middleware, Operation
    from pkg.shedding import Shedder


def load_shedding(shedder: Shedder) -> Middleware:
    """Answer OVERLOADED, with the time to wait, while more calls come than can be served.

    A stream is refused like any call, but is not counted while it lasts: it waits more than it
    works. What comes from Kafka is never refused: its consumer takes what it can serve.

    Args:
        shedder: of the loop that serves the calls.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        if not shedder.enabled:
            return handler
        streams = operation.streams
        refusal = {"retry_after": str(shedder.retry_after)}

        async def shed(call: Call, payload: Any) -> Any:
            if call.kind != "kafka" and not shedder.admits():
                raise Fault("OVERLOADED", metadata=refusal)
            if streams:
                return await handler(call, payload)
            entered, passed = shedder.enter(), False
            try:
                reply = await handler(call, payload)
                passed = True
            except Fault:
                # One that was refused on its way tells nothing of what the service can do.
                passed = call.request is not None
                raise
            finally:
                shedder.leave(entered, passed=passed)
            return reply

        return shed

    return wrap
