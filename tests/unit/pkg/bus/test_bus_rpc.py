"""What can be mounted on the bus, and what a fault means for its message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from api.google.protobuf import Empty
from api.lab.v1.service import lab_events, not_events
from pkg.bus import Message, PoisonError, Received, UnknownHandlersError, compose, step
from pkg.bus.chain import chain
from pkg.bus.rpc import steps_of
from pkg.errors import Fault, Violation
from pkg.middleware import recovery, validation
from pkg.rpc import Bound, Call, current_call
from pkg.tokens import FakeTokens
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.lab.v1 import Change
    from pkg.bus import Step

CHANGED = "lab.v1.LabEvents/Changed"


class Events:
    """Does as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.seen: list[Call | None] = []

    async def changed(self, _request: Any, _call: Call, /) -> Empty:
        self.seen.append(current_call.get())
        if self.error is not None:
            raise self.error
        return Empty()

    hurried = recorded = changed

    async def answered(self, request: Change, _call: Call, /) -> Change:
        return request


def received(value: bytes = b"", **changes: Any) -> Received:
    facts: dict[str, Any] = {
        "message": Message(topic="t", value=value),
        "partition": 1,
        "offset": 2,
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Received(**(facts | changes))


def steps(service: Events) -> Mapping[str, Step]:
    middlewares = (recovery(lambda _call, _error: None), validation())
    return steps_of(lab_events(service), registry(), middlewares, FakeTokens())


async def handled(service: Events, value: bytes = b"") -> None:
    await compose([steps(service)[CHANGED]])(received(value))


def test_every_method_is_a_step_by_its_operations_name() -> None:
    assert set(steps(Events())) == {
        f"lab.v1.LabEvents/{n}" for n in ("Changed", "Hurried", "Recorded")
    }


def test_a_method_that_answers_cannot_be_mounted() -> None:
    with pytest.raises(ValueError, match="NotEvents/Answered: an event has one request and return"):
        steps_of(not_events(Events()), registry(), (), FakeTokens())


def test_a_service_that_there_is_not_or_that_is_not_bound_cannot_be_mounted() -> None:
    with pytest.raises(KeyError):
        steps_of(Bound("lab.v1.Nothing", {}), registry(), (), FakeTokens())
    with pytest.raises(KeyError):
        steps_of(Bound("lab.v1.LabEvents", {}), registry(), (), FakeTokens())


def test_a_name_in_the_configuration_that_is_no_operation_stops_the_start() -> None:
    with pytest.raises(UnknownHandlersError, match=r"there are: lab\.v1\.LabEvents/Changed"):
        chain(["lab.v1.LabEvents/Chnaged"], steps(Events()))


async def test_what_follows_in_the_subscription_is_called_after_the_operation_went_well() -> None:
    done: list[str] = []

    async def last(_received: Received) -> None:
        done.append("last")

    good = compose([steps(Events())[CHANGED], step(last)])
    bad = compose([steps(Events(Fault("UNAVAILABLE")))[CHANGED], step(last)])
    await good(received())
    with pytest.raises(Fault):
        await bad(received())

    assert done == ["last"]


async def test_the_current_call_is_this_one_and_afterwards_what_it_was() -> None:
    service = Events()

    await handled(service)

    (seen,) = service.seen
    assert seen is not None
    assert (seen.request_id, seen.headers["x-request-id"]) == ("", "t.1.2")
    assert current_call.get() is None


async def test_what_is_wrong_with_fields_is_told_and_what_they_hold_is_not() -> None:
    wrong = (Violation("a.b", "r", "must be short"), Violation("", "r", "must be whole"))

    with pytest.raises(PoisonError) as caught:
        await handled(Events(Fault("INVALID_ARGUMENT", violations=wrong)))

    assert str(caught.value) == "INVALID_ARGUMENT: a.b: must be short; must be whole"
    assert isinstance(caught.value.__cause__, Fault)


@pytest.mark.parametrize("reason", sorted(registry().catalogue.entries))
async def test_whether_a_message_is_tried_again_follows_from_the_reasons_status(
    reason: str,
) -> None:
    hopeless = {3, 5, 6, 7, 9, 11, 12, 15, 16}
    given_up = registry().catalogue.entries[reason].grpc in hopeless

    with pytest.raises(PoisonError if given_up else Fault):
        await handled(Events(Fault(reason)))


async def test_a_reason_that_no_catalogue_has_is_a_defect_and_tried_again() -> None:
    with pytest.raises(Fault, match="NO_SUCH_REASON"):
        await handled(Events(Fault("NO_SUCH_REASON")))
