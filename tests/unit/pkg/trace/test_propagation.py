"""The trace goes along to whoever is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pkg.rpc import current_call
from pkg.rpc.trace import Parent, parent_of, trace_id_of
from pkg.trace import extract, inject, inject_bytes
from tests.unit.pkg.middleware.calls import call
from tests.unit.pkg.trace.recorder import TRACE, recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.rpc import Call

CALLER = "00f067aa0ba902b7"


def came(flags: str, **more: str) -> Call:
    return call(trace_id=TRACE, headers={"traceparent": f"00-{TRACE}-{CALLER}-{flags}", **more})


def sent(at: Call | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    before = current_call.set(at)
    try:
        inject(headers)
    finally:
        current_call.reset(before)
    return headers


@pytest.fixture(autouse=True)
def no_call() -> Iterator[None]:
    before = current_call.set(None)
    yield
    current_call.reset(before)


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True)]
)
def test_the_callers_span_and_its_flag_are_read(flags: str, sampled: bool) -> None:
    assert parent_of(came(flags)) == Parent(CALLER, sampled)


def test_a_trace_that_begins_here_has_no_parent() -> None:
    assert parent_of(call(trace_id=TRACE)) is None
    broken = f"00-{TRACE}-{CALLER}-01-more"
    assert parent_of(call(trace_id="1" * 32, headers={"traceparent": broken})) is None


@pytest.mark.parametrize("flags", ["00", "01"])
def test_who_records_nothing_passes_the_callers_headers_on(flags: str) -> None:
    at = came(flags, tracestate="vendor=1", baggage="tenant=7")
    at.sampled = flags == "01"

    assert sent(at) == at.headers


@pytest.mark.parametrize(("sampled", "flags"), [(True, "01"), (False, "00"), (None, "01")])
def test_a_trace_that_begins_here_says_whether_it_is_recorded(
    sampled: bool | None, flags: str
) -> None:
    headers = sent(call(trace_id=TRACE, sampled=sampled))

    assert trace_id_of(headers["traceparent"]) == TRACE
    assert headers["traceparent"].endswith(f"-{flags}")


def test_an_id_whose_half_is_zero_makes_a_header_that_is_valid() -> None:
    trace_id = "1" * 16 + "0" * 16

    assert trace_id_of(sent(call(trace_id=trace_id))["traceparent"]) == trace_id


def test_a_state_that_belongs_to_another_trace_does_not_go_along() -> None:
    at = call(trace_id=TRACE, headers={"traceparent": "broken", "tracestate": "vendor=1"})

    assert "tracestate" not in sent(at)


def test_baggage_that_is_too_long_is_left() -> None:
    assert "baggage" in sent(call(headers={"baggage": "a=" + "b" * 8190}))
    assert "baggage" not in sent(call(headers={"baggage": "a=" + "b" * 8191}))


def test_outside_of_a_call_there_is_nothing_to_take_along() -> None:
    assert sent(None) == {}


async def test_the_span_that_is_recorded_is_the_parent_of_what_follows() -> None:
    async with recording() as recorder:
        root = recorder.root()
        leaf = root.child("send", "producer")
        with root.current():
            within = sent(came("01"))
        on_its_own: dict[str, str] = {}
        inject(on_its_own, leaf)

    assert within["traceparent"] == f"00-{TRACE}-{root.span_id}-01"
    assert on_its_own == {"traceparent": f"00-{TRACE}-{leaf.span_id}-01"}


def test_a_bus_carries_bytes() -> None:
    at = came("01", baggage="tenant=7")
    message = [("other", b"1")]
    before = current_call.set(at)
    inject_bytes(message)
    current_call.reset(before)

    assert message[0] == ("other", b"1")
    assert extract(message) == at.headers


def test_what_a_message_carries_is_read_whatever_it_is() -> None:
    headers = extract([("traceparent", b"\xff\x00"), ("tracestate", b""), ("x", b"1")])

    assert trace_id_of(headers["traceparent"]) is None
    assert set(headers) == {"traceparent"}
