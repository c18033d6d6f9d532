"""Trace context in headers, without knowing who makes traces.

What the composition root hands in fits OpenTelemetry's propagator: `inject` writes `traceparent`
and `tracestate` of the current context into a carrier, and a scope is entered around what is done
with a message, given the carrier that came with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from pkg.bus.message import Message, Received

if TYPE_CHECKING:
    from pkg.bus.ports import Producer

Inject = Callable[[dict[str, str]], None]
"""Writes the current trace context into a carrier."""

Extract = Callable[[Mapping[str, str], Received], AbstractContextManager[object]]
"""What to be in while a message is handled, given its headers as text."""


def no_trace(_carrier: dict[str, str]) -> None:
    """Write nothing."""


def no_scope(_carrier: Mapping[str, str], _received: Received) -> AbstractContextManager[object]:
    """Be in nothing."""
    return nullcontext()


def traced(message: Message, inject: Inject) -> Message:
    """The message with the trace context of who sends it."""
    carrier: dict[str, str] = {}
    inject(carrier)
    if not carrier:
        return message
    return message.with_headers((name, text.encode()) for name, text in carrier.items())


def carrier_of(received: Received) -> dict[str, str]:
    """The headers of a message as text."""
    return {
        name.lower(): value.decode(errors="replace") for name, value in received.message.headers
    }


class TracedProducer:
    """A `Producer` that sends the trace context along."""

    def __init__(self, producer: Producer, inject: Inject) -> None:
        self._producer = producer
        self._inject = inject

    async def send(self, *messages: Message) -> None:
        """Send as the other does."""
        await self._producer.send(*(traced(each, self._inject) for each in messages))
