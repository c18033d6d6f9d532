"""Serves a call once, however often it is sent with the same `idempotency-key`.

Only where the operation says so: optional keys are looked at, required ones are demanded.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from pkg.errors import Fault
from pkg.idempotency.guarded import GuardedIdempotencyStore
from pkg.idempotency.key import HEADER, key_of
from pkg.idempotency.metrics import IdempotencyMetrics, OneOperation
from pkg.idempotency.once import Once
from pkg.idempotency.settings import WhenAway
from pkg.middleware.deadline import deadline
from pkg.proto.options import Idempotency

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.idempotency.settings import IdempotencySettings
    from pkg.idempotency.store import IdempotencyStore
    from pkg.rpc import Call, Handler, Middleware, Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

_LOG: Final = logging.getLogger(__name__)


def idempotency(
    store: IdempotencyStore,
    registry: Registry,
    settings: IdempotencySettings,
    *,
    clock: Clock,
    tokens: Tokens,
    metrics: IdempotencyMetrics | None = None,
    logger: logging.Logger = _LOG,
) -> Middleware:
    """Give the same answer to the same call again, with the header `idempotent-replayed: true`.

    Args:
        store: keeps keys and results; of the loop that the calls are served in.
        registry: has the messages and the catalogue.
        settings: how long results are kept.
        clock: its monotonic time.
        tokens: tell calls apart.
        metrics: of all operations.
        logger: told of outages, and of results that are not kept.
    """
    counted = metrics or IdempotencyMetrics()
    longest = settings.longest_call.total_seconds()
    guarded = GuardedIdempotencyStore(
        store, clock=clock, retry_after=settings.retry_after, logger=logger
    )

    def wrap(handler: Handler, operation: Operation) -> Handler:
        if operation.idempotency is Idempotency.NONE:
            return handler
        required = operation.idempotency is Idempotency.REQUIRED
        always = not required and settings.when_away is WhenAway.SERVE
        counts = OneOperation(counted, operation.name)
        once = Once(
            operation, registry, guarded, settings, tokens=tokens, counts=counts, logger=logger
        )
        bounded = deadline(settings.longest_call)(handler, operation)

        async def done_once(call: Call, message: Any) -> Any:
            header = call.headers.get(HEADER)
            if header is None and not required:
                return await handler(call, message)
            key = None if header is None else key_of(header)
            if key is None:
                counts.calls["no_key"].inc()
                raise Fault("IDEMPOTENCY_KEY_MISSING")
            if call.deadline is not None:
                return await once.serve(call, message, key, handler, always=always)
            call.deadline = asyncio.get_running_loop().time() + longest
            return await once.serve(call, message, key, bounded, always=always)

        return done_once

    return wrap
