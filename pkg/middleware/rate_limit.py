"""Tells who asks too often to come back later.

Every call that a limit is about is told how it stands, in headers or metadata: `RateLimit-Limit`,
`RateLimit-Remaining` and `RateLimit-Reset`, as most clients know them, and `RateLimit` with
`RateLimit-Policy` as draft-ietf-httpapi-ratelimit-headers-11 has them. Where several limits hold,
they are those of the tightest; only the policy names all.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from pkg.clock import Pause, pause
from pkg.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pkg.ratelimit import CallLimits, Decision, Quota, RateLimiter
    from pkg.rpc import Call, Handler, Middleware, Operation

LIMIT: Final = "ratelimit-limit"
REMAINING: Final = "ratelimit-remaining"
RESET: Final = "ratelimit-reset"
STATE: Final = "ratelimit"
POLICY: Final = "ratelimit-policy"

_TOLD: Final = 5
"""Headers that a limit makes, one behind the other."""


def rate_limit(limits: CallLimits, limiter: RateLimiter, *, pause: Pause = pause) -> Middleware:
    """Count what needs no principal: addresses, operations, the callers of a public operation.

    Stands before authentication, which is dear. What is above a limit is TOO_MANY_REQUESTS; when
    calls cannot be counted, it is as the limiter has it.

    Args:
        limits: what operations allow.
        limiter: goes by these limits.
        pause: waits for a call's turn, where a limit gives turns.
    """
    return _limiting(limits.outside, limiter, pause)


def caller_limit(limits: CallLimits, limiter: RateLimiter, *, pause: Pause = pause) -> Middleware:
    """Count callers and tenants, behind authentication; else as `rate_limit`."""
    return _limiting(limits.inside, limiter, pause)


def _limiting(
    quotas_of: Callable[[Operation], Sequence[Quota]], limiter: RateLimiter, pause: Pause
) -> Middleware:
    def wrap(handler: Handler, operation: Operation) -> Handler:
        quotas = quotas_of(operation)
        if not quotas:
            return handler
        names = {quota.kind: quota.name for quota in quotas}
        policy = ", ".join(quota.policy for quota in quotas)
        values = [(f"{quota.kind}:", quota.value) for quota in quotas]

        async def limited(call: Call, payload: Any) -> Any:
            keys = [kind + value for kind, value_of in values if (value := value_of(call))]
            if not keys:
                return await handler(call, payload)
            decision = await limiter.take_many(keys)
            name = names[decision.key.partition(":")[0]]
            _tell(call.reply_headers, name, policy, decision)
            if not decision.allowed:
                raise _refusal(name, decision.limit, decision.retry_after)
            if decision.delay:
                end = asyncio.get_running_loop().time() + decision.delay
                if call.deadline is not None and end >= call.deadline:
                    raise _refusal(name, decision.limit, decision.delay)
                await pause(timedelta(seconds=decision.delay))
            return await handler(call, payload)

        return limited

    return wrap


def _refusal(name: str, limit: int, seconds: float) -> Fault:
    return Fault(
        "TOO_MANY_REQUESTS",
        metadata={
            "retry_after": str(max(1, ceil(seconds))),
            "quota": name,
            "quota_value": str(limit),
        },
    )


def _tell(headers: list[tuple[str, str]], name: str, policy: str, decision: Decision) -> None:
    """Say how the call stands; of what both middlewares say, the tighter limit is kept."""
    reset = ceil(decision.reset_after if decision.allowed else decision.retry_after)
    told = [
        (LIMIT, str(decision.limit)),
        (REMAINING, str(decision.remaining)),
        (RESET, str(reset)),
        (STATE, f'"{name}";r={decision.remaining};t={reset}'),
        (POLICY, policy),
    ]
    for at, (header, _) in enumerate(headers):
        if header == LIMIT:
            before = headers[at : at + _TOLD]
            if decision.allowed and int(before[1][1]) <= decision.remaining:
                told = before
            told[-1] = (POLICY, f"{before[-1][1]}, {policy}")
            headers[at : at + _TOLD] = told
            return
    headers += told
