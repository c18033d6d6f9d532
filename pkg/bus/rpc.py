"""Events as operations: methods of a proto service that messages of the bus are handed to.

    service StockEvents {
      rpc Changed(StockChanged) returns (google.protobuf.Empty);
    }

A message's value is the request in the wire format. It goes through a chain of middlewares as a
call does that came over HTTP or gRPC, with `call.kind` being `kafka`. Each method becomes a step
by its operation's name, for `func` of a subscription: `func: [shop.v1.StockEvents/Changed]`.

What a fault means for the message follows from its reason, by the gRPC status that the catalogue
gives it: what may pass by itself is tried again, everything else is given up at once and goes to
the dead-letter topic. There is no principal: the broker has decided who may send.
"""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pkg.bus.errors import PoisonError
from pkg.bus.message import MESSAGE_ID
from pkg.bus.trace import carrier_of
from pkg.errors.catalogue import LANGUAGES
from pkg.errors.fault import Fault
from pkg.rpc.call import Call, current_call
from pkg.rpc.chain import Handler, compose
from pkg.rpc.payload import Unary, reader
from pkg.rpc.trace import TRACEPARENT, trace_id_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pkg.bus.chain import Handler as MessageHandler
    from pkg.bus.chain import Step
    from pkg.bus.message import Received
    from pkg.rpc.bound import Bound
    from pkg.rpc.chain import Middleware
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

KIND: Final = "kafka"
"""Of the calls, whatever bus it is."""

REQUEST_ID: Final = "x-request-id"

_EMPTY: Final = "google.protobuf.Empty"
_MAY_PASS: Final = frozenset({1, 2, 4, 8, 10, 13, 14})
"""gRPC statuses after which a message is tried again: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED,
RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE."""
_PART: Final = 0.1
_MOST: Final = 0.1
"""By this part of its time, or by so many seconds, a call ends before the try that it is in: so the
chain sees a deadline that has passed, and no cancellation."""


def steps_of(
    bound: Bound, registry: Registry, chain: Sequence[Middleware], tokens: Tokens
) -> Mapping[str, Step]:
    """A step for each method of a service, by the names of the operations.

    Args:
        bound: the service, as the generated code makes it.
        registry: knows its operations and the reasons of faults.
        chain: what stands around every method, outermost first.
        tokens: make the trace ids of messages that have none.

    Raises:
        KeyError: no such service, or a method of it is not bound.
        ValueError: a method streams, or does not return google.protobuf.Empty.
    """
    operations = registry.operations(bound.service)
    return MappingProxyType(
        {
            operation.name: _step(operation, bound.methods[name], registry, chain, tokens)
            for name, operation in operations.items()
        }
    )


def _step(
    operation: Operation,
    method: Callable[..., Any],
    registry: Registry,
    chain: Sequence[Middleware],
    tokens: Tokens,
) -> Step:
    if operation.streams or operation.response != _EMPTY:
        raise ValueError(f"{operation.name}: an event has one request and returns {_EMPTY}")
    read = reader(registry, operation)
    handler = compose(chain, _calling(method), operation)
    entries = registry.catalogue.entries
    hopeless = {reason for reason, each in entries.items() if each.grpc not in _MAY_PASS}

    async def handle(received: Received, following: MessageHandler) -> None:
        call = _call(operation, received, tokens)
        before = current_call.set(call)
        try:
            await handler(call, Unary(received.message.value, read))
        except Fault as fault:
            # A reason that no catalogue has is a defect, as on every transport, and tried again.
            if fault.reason in hopeless:
                raise PoisonError(_told(fault)) from fault
            raise
        finally:
            current_call.reset(before)
        await following(received)

    return handle


def _calling(method: Callable[..., Any]) -> Handler:
    def call_it(call: Call, request: Any) -> Awaitable[Any]:
        found: Awaitable[Any] = method(request, call)
        return found

    return call_it


def _call(operation: Operation, received: Received, tokens: Tokens) -> Call:
    headers = carrier_of(received)
    headers[MESSAGE_ID] = received.id
    # The same for every try: the sender's, or what names the message.
    headers.setdefault(REQUEST_ID, received.id.replace("/", "."))
    deadline = received.deadline
    if deadline is not None:
        left = deadline - asyncio.get_running_loop().time()
        deadline -= min(left * _PART, _MOST)
    return Call(
        kind=KIND,
        operation=operation,
        headers=headers,
        peer="",
        language=LANGUAGES[0],
        trace_id=trace_id_of(headers.get(TRACEPARENT)) or tokens.hex(16),
        deadline=deadline,
    )


def _told(fault: Fault) -> str:
    """The fault for the dead letter: its reason, and what is wrong with which field."""
    wrong = "; ".join(
        f"{each.field}: {each.message}" if each.field else each.message for each in fault.violations
    )
    return f"{fault}: {wrong}" if wrong else str(fault)
