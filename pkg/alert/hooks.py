"""Alerts about calls that failed with a defect."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Final

from pkg.alert.alert import Alert

if TYPE_CHECKING:
    from pkg.alert.alert import Alerts
    from pkg.log import Redactor
    from pkg.middleware import OnError
    from pkg.rpc import Call

PANIC: Final = "panic"
"""The topic."""
_FRAMES: Final = 50
"""The innermost of each exception in the chain."""


def alert_error(alerts: Alerts, redactor: Redactor) -> OnError:
    """Send an alert for each defect, with its stack.

    The stack goes through `redactor`, which also cuts it: give it room (64 KiB). Values of
    variables are in no stack; what an exception says of itself is.
    """

    def report(call: Call, error: Exception) -> None:
        stack = "".join(traceback.format_exception(error, limit=-_FRAMES))
        alerts.send(
            Alert(
                topic=PANIC,
                title=f"{call.operation.name} failed: {type(error).__name__}",
                detail=redactor.text(f"{call.kind}, request {call.request_id or '-'}\n\n{stack}"),
                trace_id=call.trace_id,
            )
        )

    return report


def each_of(*hooks: OnError) -> OnError:
    """Tell all of them, in order. One that fails keeps none of the others from being told.

    What failed is raised at the end, as `recovery` expects it.
    """

    def report(call: Call, error: Exception) -> None:
        failures: list[Exception] = []
        for hook in hooks:
            try:
                hook(call, error)
            except Exception as failure:  # noqa: BLE001 - raised below, when all have been told
                failures.append(failure)
        if failures:
            raise ExceptionGroup("reports of a defect failed", failures)

    return report
