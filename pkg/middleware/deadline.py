"""Ends calls that take too long.

The handler runs in the caller's own task: at the deadline it is cancelled where it waits, unwinds,
and the caller gets DEADLINE_EXCEEDED. A handler that computes without waiting cannot be stopped.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pkg.errors import Fault
from pkg.middleware.overdue import Overdue

if TYPE_CHECKING:
    from pkg.rpc import Call, Handler, Middleware, Operation


def deadline(default: timedelta, stream: timedelta | None = None) -> Middleware:
    """Hold calls to the operation's own timeout, else to `default`, and to the caller's deadline.

    Args:
        default: for an operation that declares no timeout and streams nothing.
        stream: the same for one that streams; None lets it run as long as both sides like.

    `call.deadline` is what holds, so that whatever the handler calls can be given what is left.

    Raises:
        ValueError: a limit is not positive.
    """
    for limit in (default, stream):
        if limit is not None and limit <= timedelta():
            raise ValueError(f"a deadline must be positive, not {limit}")

    def wrap(handler: Handler, operation: Operation) -> Handler:
        streams = operation.client_streaming or operation.server_streaming
        limit = operation.timeout or (stream if streams else default)
        seconds = None if limit is None else limit.total_seconds()
        timers: dict[asyncio.AbstractEventLoop, Overdue] = {}

        async def limited(call: Call, payload: Any) -> Any:
            loop = asyncio.get_running_loop()
            now = loop.time()
            if seconds is None or (call.deadline is not None and call.deadline < now + seconds):
                return await _until_its_own(call, payload, handler, now)
            overdue = timers.get(loop)
            if overdue is None:
                overdue = timers[loop] = Overdue(seconds, loop)
            task = asyncio.current_task(loop)
            if task is None:
                raise RuntimeError("only a task can be held to a deadline")
            call.deadline = now + seconds
            if not overdue.watch(task, now):
                return await handler(call, payload)
            try:
                return await handler(call, payload)
            except Fault:
                raise
            except asyncio.CancelledError as error:
                if overdue.alone(task):
                    raise Fault("DEADLINE_EXCEEDED") from error
                raise
            except Exception as error:
                # A library may turn the cancellation into an error of its own.
                if overdue.expired(task):
                    raise Fault("DEADLINE_EXCEEDED") from error
                raise
            finally:
                overdue.release(task)

        return limited

    return wrap


async def _until_its_own(call: Call, payload: Any, handler: Handler, now: float) -> Any:
    """Serve a call whose deadline, if it has one, is its caller's."""
    if call.deadline is not None and call.deadline <= now:
        raise Fault("DEADLINE_EXCEEDED")
    try:
        async with asyncio.timeout_at(call.deadline) as scope:
            return await handler(call, payload)
    except Fault:
        raise
    except Exception as error:
        if scope.expired():
            raise Fault("DEADLINE_EXCEEDED") from error
        raise
