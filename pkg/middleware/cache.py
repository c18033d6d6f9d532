"""Gives replies again where the operation says for how long and to whom.

Innermost of the chain: who calls, and whether it may, is found out for each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.middleware.deadline import deadline

if TYPE_CHECKING:
    from pkg.replies import HotReplyCache
    from pkg.rpc import Call, Handler, Middleware, Operation


def cache(replies: HotReplyCache) -> Middleware:
    """Serve equal calls by one reply. Only replies are kept, never faults.

    A reply is made in a task of its own, for all who wait for it, under a deadline of its own: that
    of the operation, else the settings' `loadTimeout`. Each caller waits until its own deadline.

    Args:
        replies: of the loop that the calls are served in.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        kept = replies.of(operation)
        if kept is None:
            return handler
        make = deadline(replies.settings.limit(operation))(handler, operation)

        async def cached(call: Call, message: Any) -> Any:
            return await kept.get(call, message, make)

        return cached

    return wrap
