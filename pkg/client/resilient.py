"""A channel that leaves a failing operation alone, and tries again what may be tried again.

Again is tried what was refused as UNAVAILABLE or OVERLOADED, if it may be made twice (see
`pkg.client.repeatable`), if the target's budget has a try left, and if there is time: a wait grows
from try to try, is never shorter than the refusal's `retry_after`, and one that would outlast the
call is not begun. A stream of replies is tried again until its first reply, a stream of requests
never.

For the breaker it counts as a failure that the target is UNAVAILABLE or does not answer in time.
A target that is OVERLOADED, or has a defect, is there and answers. A stream counts by its first
reply. What an open breaker refuses is UNAVAILABLE, with `retry_after`.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from pkg.breaker import CircuitOpenError
from pkg.clock import pause as real_pause
from pkg.errors.fault import Fault
from pkg.rpc.call import current_call
from pkg.rpc.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from pkg.breaker.breaker import IsFailure
    from pkg.client.target import Target
    from pkg.clock import Pause
    from pkg.rpc.channel import Channel
    from pkg.rpc.relay import Many, One, Outgoing

T = TypeVar("T")

RETRY_AFTER: Final = "retry_after"

_AGAIN: Final = frozenset({"UNAVAILABLE", "OVERLOADED"})
_STILL_RUNNING: Final = "IDEMPOTENCY_KEY_IN_PROGRESS"
"""What a second try is told while the first one, of which we know nothing, is still at work."""


class ResilientChannel(Relay):
    """A `pkg.rpc.Channel` around another, which is entered and left by whoever made it."""

    def __init__(self, channel: Channel, target: Target, pause: Pause = real_pause) -> None:
        self._channel = channel
        self._target = target
        self._clock = target.clock
        self._pause = pause

    async def reply(self, call: Outgoing, make: One[T]) -> T:
        """A call that has one reply."""
        return await self._tried(call, lambda left: make(self._channel, left))

    async def replies(self, call: Outgoing, make: Many[T]) -> AsyncIterator[T]:
        """A call that has many."""
        first, rest = await self._tried(call, lambda left: _begun(make(self._channel, left)))
        async with aclosing(rest):
            for reply in first:
                yield reply
            async for reply in rest:
                yield reply

    async def _tried(self, call: Outgoing, make: Callable[[timedelta], Awaitable[T]]) -> T:
        target = self._target
        end = self._clock.monotonic() + self._time(call.timeout)
        known = target.known(call.operation)
        tries = 1 if call.once or not known.repeatable(call.headers) else target.settings.attempts
        target.budget.deposit()
        failures = 0
        while True:
            left = timedelta(seconds=end - self._clock.monotonic())
            if left <= timedelta():
                raise Fault("DEADLINE_EXCEEDED")
            try:
                with known.breaker.guard(self._judge(left)):
                    return await make(left)
            except CircuitOpenError as refusal:
                raise _unavailable(refusal) from refusal
            except Fault as fault:
                failures += 1
                if failures >= tries or not _again(fault, failures):
                    raise
                wait = max(target.backoff.wait(failures), _asked_for(fault))
                if self._clock.monotonic() + wait.total_seconds() >= end:
                    raise
                if not target.budget.withdraw():
                    known.refused.inc()
                    raise
            known.retries.inc()
            await self._pause(wait)

    def _time(self, timeout: timedelta | None) -> float:
        """Seconds for all tries together."""
        call = current_call.get()
        if call is not None and call.deadline is not None:
            left = call.deadline - asyncio.get_running_loop().time()
            return left if timeout is None else min(left, timeout.total_seconds())
        return (timeout or self._target.settings.timeout).total_seconds()

    def _judge(self, given: timedelta) -> IsFailure:
        def is_failure(error: Exception) -> bool | None:
            if not isinstance(error, Fault):
                return None  # what the requests raised, say
            if error.reason == "DEADLINE_EXCEEDED":
                return True if given >= self._target.settings.patience else None
            return error.reason == "UNAVAILABLE"

        return is_failure


async def _begun(
    replies: AsyncGenerator[T, None],
) -> tuple[tuple[T, ...], AsyncGenerator[T, None]]:
    """The first reply, if there is any, and the rest."""
    try:
        return (await anext(replies),), replies
    except StopAsyncIteration:
        return (), replies


def _again(fault: Fault, failures: int) -> bool:
    return fault.reason in _AGAIN or (fault.reason == _STILL_RUNNING and failures > 1)


def _asked_for(fault: Fault) -> timedelta:
    """How long the refusal asks to wait."""
    text = fault.metadata.get(RETRY_AFTER, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return timedelta()
    return timedelta(seconds=int(text))


def _unavailable(refusal: CircuitOpenError) -> Fault:
    seconds = max(1, math.ceil(refusal.retry_after))
    return Fault("UNAVAILABLE", metadata={RETRY_AFTER: str(seconds)})
