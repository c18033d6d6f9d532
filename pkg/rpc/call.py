"""What is known of one call while it is served."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pkg.rpc.operation import Operation


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as a verified token says."""

    subject: str
    """UID of the user, or `service:<name>`."""
    name: str
    role: str
    token_id: str
    session: str
    """What ends at logout: every token that came from the same login carries the same one."""
    expires_at: float
    """Seconds since 1970."""
    tenant: str = ""
    """Whom the user belongs to; empty where there are no tenants."""


@dataclass(slots=True)
class Call:
    """One call on any transport. It belongs to one task; middleware fills it in going inward."""

    kind: str
    """`http`, `grpc` or `kafka`."""
    operation: Operation
    headers: Mapping[str, str]
    """Request headers or metadata, names in lower case."""
    peer: str
    """Address of the caller, without port; empty where there is none."""
    language: str
    """`zh` or `en`: what messages are written in."""
    trace_id: str
    """32 hex digits."""
    request_id: str = ""
    sampled: bool | None = None
    """Is the trace recorded? Said by `tracing`; None where nobody has decided."""
    deadline: float | None = None
    """On the loop's monotonic clock, in seconds."""
    principal: Principal | None = None
    request: Any = None
    """The checked message, once `validation` has made it; never of a stream of requests."""
    reply_headers: list[tuple[str, str]] = field(default_factory=list)
    """Sent with the reply: HTTP headers or initial metadata, names in lower case."""
    send: Callable[[Any], Awaitable[None]] | None = None
    """Where a server-streaming operation puts its replies."""

    @property
    def caller(self) -> Principal:
        """The principal of an operation that is not public.

        Raises:
            LookupError: authentication has not run: a defect of the chain, not the caller's.
        """
        if self.principal is None:
            raise LookupError(f"{self.operation.name}: no principal, though one is needed")
        return self.principal


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
"""For what goes along with a call by itself: logs, traces, the deadline of what is called in turn.
Code that needs the call takes it as an argument.
"""
