"""Records every call whose operation says so: who called what, from where, when, how it ended.

Stands inside authentication, to know who calls, and outside of authorization, to see who was
denied. Nothing is made, copied or waited for here: that is the recorder's, when the reply has gone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from pkg.middleware.outcome import CANCELLED, OK, reason_of
from pkg.proto.options import Audit

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.rpc import Call, Handler, Middleware, Operation

_RECORD: Final = "layout.v1.OperationRecord"
_LATE: Final = "DEADLINE_EXCEEDED"


class CallRecorder(Protocol):
    """Takes calls that have ended."""

    def record(self, call: Call, reply: Any, reason: str, begun: float, ended: float) -> None:
        """Take a call, with its reply if there is one and how it ended.

        Must not wait or raise. The times are the clock's, monotonic.
        """
        ...


def audit(recorder: CallRecorder, clock: Clock) -> Middleware:
    """Hand every call to the recorder, once, when it has ended.

    An operation that says `AUDIT_NONE` is left alone, and so is one that takes records: recording
    those would make records without end.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        if operation.audit is Audit.NONE or operation.request == _RECORD:
            return handler
        monotonic, record = clock.monotonic, recorder.record

        async def recorded(call: Call, payload: Any) -> Any:
            begun = monotonic()
            try:
                reply = await handler(call, payload)
            except BaseException as error:
                record(call, None, _ended_by(error, call), begun, monotonic())
                raise
            record(call, reply, OK, begun, monotonic())
            return reply

        return recorded

    return wrap


def _ended_by(error: BaseException, call: Call) -> str:
    """The word for it; the deadline, which is kept outside of here, shows as a cancellation."""
    reason = reason_of(error)
    if (
        reason == CANCELLED
        and call.deadline is not None
        and asyncio.get_running_loop().time() >= call.deadline
    ):
        return _LATE
    return reason
