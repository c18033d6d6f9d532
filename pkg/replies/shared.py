"""What the handler of a cached operation is told: nothing that the reply must not depend on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pkg.proto.options import Vary
from pkg.rpc import Call, Principal

if TYPE_CHECKING:
    from typing import Any


def identity(principal: Principal | None, vary: Vary) -> tuple[str, ...]:
    """Those who have the same one are given the same reply."""
    if vary is Vary.NONE or principal is None:
        return ()
    if vary is Vary.ROLE:
        return principal.tenant, principal.role
    return principal.tenant, principal.role, principal.subject


def shared(call: Call, message: Any, vary: Vary) -> Call:
    """A call that many wait for, made of that of the first.

    It has the language, the trace and the ids of that call, and of its principal what `identity`
    has. Headers, address and deadline are the first caller's alone, and left out.
    """
    return Call(
        call.kind,
        call.operation,
        {},
        "",
        call.language,
        call.trace_id,
        request_id=call.request_id,
        sampled=call.sampled,
        principal=_principal(call.principal, vary),
        request=message,
    )


def _principal(principal: Principal | None, vary: Vary) -> Principal | None:
    if vary is Vary.NONE or principal is None:
        return None
    known = replace(principal, token_id="", session="", expires_at=math.inf)
    return known if vary is Vary.SUBJECT else replace(known, subject="", name="")
