"""What logs say of the call that they are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.rpc.call import current_call

if TYPE_CHECKING:
    from collections.abc import Mapping


def log_context() -> Mapping[str, str]:
    """Trace id, request id and operation of the current call; empty outside of one."""
    call = current_call.get()
    if call is None:
        return {}
    return {
        "trace_id": call.trace_id,
        "request_id": call.request_id,
        "operation": call.operation.name,
    }
