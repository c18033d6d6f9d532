"""No call outlives its deadline, and none is cut short before it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.errors import Fault
from pkg.middleware import deadline
from tests.unit.pkg.middleware.calls import Service, around, call

if TYPE_CHECKING:
    from pkg.rpc import Call

NEVER = timedelta(hours=1)
SOON = timedelta(milliseconds=5)


async def hang(call: Call, payload: Any) -> Any:
    await asyncio.Event().wait()


def now() -> float:
    return asyncio.get_running_loop().time()


async def refused(middleware_default: timedelta, at: Call, **changes: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        await around(deadline(middleware_default), hang, **changes)(at, None)
    return caught.value


async def test_a_call_that_hangs_is_ended_at_the_default() -> None:
    assert (await refused(SOON, call())).reason == "DEADLINE_EXCEEDED"


async def test_the_operations_own_timeout_wins_over_the_default() -> None:
    assert (await refused(NEVER, call(), timeout=SOON)).reason == "DEADLINE_EXCEEDED"


async def test_the_callers_deadline_holds_where_it_is_earlier() -> None:
    at = call(deadline=now() + 0.005)

    assert (await refused(NEVER, at)).reason == "DEADLINE_EXCEEDED"


async def test_the_callers_deadline_does_not_stretch_the_limit() -> None:
    at = call(deadline=now() + 3600)

    assert (await refused(SOON, at)).reason == "DEADLINE_EXCEEDED"
    assert at.deadline is not None
    assert at.deadline < now() + 1


async def test_a_call_that_comes_too_late_does_not_run() -> None:
    service = Service()

    with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
        await around(deadline(NEVER), service)(call(deadline=now() - 1), None)

    assert service.payloads == []


async def test_what_is_called_next_can_see_what_is_left() -> None:
    at = call()

    assert await around(deadline(timedelta(seconds=30)), Service("reply"))(at, None) == "reply"
    assert at.deadline is not None
    assert 20 < at.deadline - now() <= 30


async def test_the_handler_runs_in_the_callers_task() -> None:
    tasks: list[Any] = []

    async def note(call: Call, payload: Any) -> None:
        tasks.append(asyncio.current_task())

    await around(deadline(NEVER), note)(call(), None)

    assert tasks == [asyncio.current_task()]


async def test_a_stream_runs_on_unless_a_limit_is_set_for_streams() -> None:
    at = call()

    await around(deadline(SOON), Service(), server_streaming=True)(at, None)
    assert at.deadline is None

    await around(deadline(NEVER, SOON), Service(), client_streaming=True)(at, None)
    assert at.deadline is not None


async def test_a_timeout_of_the_handlers_own_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError):
        await around(deadline(NEVER), Service(TimeoutError()))(call(), None)


async def test_a_library_that_hides_the_cancellation_does_not_hide_the_deadline() -> None:
    async def hides(call: Call, payload: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("interrupted") from None

    with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
        await around(deadline(SOON), hides)(call(), None)


async def test_a_fault_passes_even_at_the_deadline() -> None:
    with pytest.raises(Fault, match="LOGIN_FAILED"):
        await around(deadline(NEVER), Service(Fault("LOGIN_FAILED")))(call(), None)


async def test_a_cancellation_from_outside_is_no_deadline() -> None:
    task = asyncio.ensure_future(around(deadline(NEVER), hang)(call(), None))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("wrong", [timedelta(), timedelta(seconds=-1)])
def test_a_limit_must_be_positive(wrong: timedelta) -> None:
    with pytest.raises(ValueError, match="positive"):
        deadline(wrong)
    with pytest.raises(ValueError, match="positive"):
        deadline(NEVER, wrong)


async def test_each_call_has_its_own_deadline() -> None:
    limited = around(deadline(timedelta(seconds=1)), hang)
    first = asyncio.ensure_future(limited(call(), None))
    await asyncio.wait({first}, timeout=0.5)
    second = asyncio.ensure_future(limited(call(), None))

    await asyncio.wait({first})
    assert not second.done()

    for late in (first, second):
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await late


async def test_a_task_whose_call_has_ended_is_left_alone_at_the_deadline() -> None:
    assert await around(deadline(SOON), Service("reply"))(call(), None) == "reply"

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await asyncio.Event().wait()


async def test_a_task_goes_on_after_a_call_of_its_own_was_late() -> None:
    async def caller() -> str:
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await around(deadline(SOON), hang)(call(), None)
        await asyncio.sleep(0)
        return "went on"

    task = asyncio.ensure_future(caller())

    assert await task == "went on"
    assert task.cancelling() == 0


async def test_a_handler_that_answers_though_it_is_late_has_answered() -> None:
    async def stubborn(call: Call, payload: Any) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "at last"
        return "never"

    assert await around(deadline(SOON), stubborn)(call(), None) == "at last"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancellation_from_outside_stays_one_though_it_is_late_as_well() -> None:
    async def slow_to_end(call: Call, payload: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            task.cancel()

    task = asyncio.ensure_future(around(deadline(SOON), slow_to_end)(call(), None))

    with pytest.raises(asyncio.CancelledError):
        await task


def test_every_loop_has_its_own_timer() -> None:
    limited = around(deadline(SOON), hang)

    async def late() -> None:
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await limited(call(), None)

    asyncio.run(late())
    asyncio.run(late())


async def test_an_operation_that_calls_itself_ends_once_at_the_first_deadline() -> None:
    depth = 0

    async def again(inner: Call, payload: Any) -> Any:
        nonlocal depth
        depth += 1
        return await (handler(call(), payload) if depth < 3 else hang(inner, payload))

    handler = around(deadline(SOON), again)
    task = asyncio.current_task()
    assert task is not None

    with pytest.raises(Fault) as caught:
        await handler(call(), None)

    assert (depth, caught.value.reason) == (3, "DEADLINE_EXCEEDED")
    assert task.cancelling() == 0
