"""Takes the trace along to whoever is called, as W3C Trace Context and Baggage say.

What is sent is the span that is recorded, else the caller's own headers as they came: who records
nothing is not in the way. Baggage is passed on and never read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkg.rpc.call import current_call
from pkg.rpc.trace import TRACEPARENT, parent_of
from pkg.trace.span import current_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from pkg.rpc.call import Call
    from pkg.trace.span import Span

TRACESTATE: Final = "tracestate"
BAGGAGE: Final = "baggage"

_CARRIED: Final = (TRACEPARENT, TRACESTATE, BAGGAGE)
_LONGEST: Final = 8192
"""Bytes of a baggage that is passed on, as the recommendation bounds it. A longer one is left."""


def inject(headers: MutableMapping[str, str], span: Span | None = None) -> None:
    """Put the trace of the current call into headers that go out.

    Args:
        headers: what is sent; names in lower case.
        span: of the sending itself; without one, the current span is the parent of what follows.
    """
    call = current_call.get()
    if span is None:
        span = current_span.get()
    if span is not None:
        headers[TRACEPARENT] = f"00-{span.trace_id}-{span.span_id}-01"
    elif call is not None:
        headers[TRACEPARENT] = _passed_on(call)
    if call is not None:
        _pass_on_the_rest(call, headers)


def inject_bytes(headers: list[tuple[str, bytes]], span: Span | None = None) -> None:
    """The same for a bus, whose headers are pairs of a name and bytes."""
    carried: dict[str, str] = {}
    inject(carried, span)
    headers += [(name, value.encode("latin-1", "replace")) for name, value in carried.items()]


def extract(headers: Iterable[tuple[str, bytes]]) -> Mapping[str, str]:
    """What a message carries of its trace: `headers` for the `Call` that handles it.

    Whether it is well-formed `trace_id_of` tells, as for any other transport.
    """
    return {name: value.decode("latin-1") for name, value in headers if value and name in _CARRIED}


def _passed_on(call: Call) -> str:
    parent = parent_of(call)
    if parent is not None:
        return f"00-{call.trace_id}-{parent.span_id}-{parent.sampled:02d}"
    # The trace begins here, and no span of it is recorded. The header must name one all the same:
    # half of an id that is random anyway stands for it.
    half = call.trace_id[16:]
    stand_in = half if half.strip("0") else call.trace_id[:16]
    return f"00-{call.trace_id}-{stand_in}-{call.sampled is not False:02d}"


def _pass_on_the_rest(call: Call, headers: MutableMapping[str, str]) -> None:
    baggage = call.headers.get(BAGGAGE)
    if baggage and len(baggage) <= _LONGEST:
        headers[BAGGAGE] = baggage
    state = call.headers.get(TRACESTATE)
    if state and parent_of(call) is not None:
        headers[TRACESTATE] = state
