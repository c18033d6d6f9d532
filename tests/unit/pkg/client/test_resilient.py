"""What is tried again, how often and when; and when a target is left alone."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from api.lab.v1 import Done, Glance, Task
from pkg.breaker import State
from pkg.errors import Fault
from pkg.rpc import Call, Operation, current_call
from tests.unit.pkg.client.targets import SERVICE, Lab, gone, tasks

KEY = {"idempotency-key": "k1"}


async def refused(calling: Any, reason: str = "UNAVAILABLE") -> Fault:
    with pytest.raises(Fault, match=reason) as found:
        await calling
    return found.value


async def test_what_changes_nothing_is_tried_again() -> None:
    lab = Lab()
    lab.will(gone(), Fault("OVERLOADED"))
    assert await lab.look() == Done(name="done")
    assert lab.calls == 3
    assert lab.pauses == [0.05, 0.1]
    labels = {"target": "lab", "operation": f"{SERVICE}/KeptForAll"}
    assert lab.value("client_retries_total", **labels) == 2


async def test_what_may_change_something_is_not() -> None:
    lab = Lab()
    lab.will(gone())
    await refused(lab.change(headers=KEY))  # nobody looks at the key there
    assert lab.calls == 1


async def test_what_is_known_by_its_key_is_tried_again() -> None:
    lab = Lab()
    for method in (lab.client.keyed, lab.client.must_be_keyed):
        lab.will(gone())
        await method(Task(name="a"), headers=KEY)
    assert lab.calls == 4
    lab.will(gone())
    await refused(lab.client.keyed(Task(name="a")))
    lab.will(gone())
    await refused(lab.client.keyed(Task(name="a"), headers={"idempotency-key": ""}))
    assert lab.calls == 6


async def test_a_second_try_waits_for_the_first_to_end_over_there() -> None:
    lab = Lab()
    lab.will(gone(), Fault("IDEMPOTENCY_KEY_IN_PROGRESS", metadata={"retry_after": "1"}))
    assert await lab.client.keyed(Task(name="a"), headers=KEY) == Done(name="done")
    assert lab.pauses == [0.05, 1.0]
    lab.will(Fault("IDEMPOTENCY_KEY_IN_PROGRESS"))
    await refused(lab.client.keyed(Task(name="a"), headers=KEY), "IDEMPOTENCY_KEY_IN_PROGRESS")


@pytest.mark.parametrize("reason", ["INVALID_ARGUMENT", "INTERNAL", "RATE_LIMITED"])
async def test_other_refusals_are_final(reason: str) -> None:
    lab = Lab()
    lab.will(Fault(reason))
    await refused(lab.look(), reason)
    assert lab.calls == 1


async def test_the_last_refusal_is_told() -> None:
    lab = Lab(attempts=2)
    lab.will(gone(), Fault("OVERLOADED"))
    await refused(lab.look(), "OVERLOADED")
    assert lab.calls == 2


async def test_a_refusal_may_ask_for_a_longer_wait() -> None:
    lab = Lab()
    lab.will(gone(retry_after="3"))
    await lab.look()
    assert lab.pauses == [3.0]


@pytest.mark.parametrize("odd", ["", "-1", "soon", "1.5", "²", "9" * 20])
async def test_an_odd_wish_is_not_followed(odd: str) -> None:
    lab = Lab()
    lab.will(gone(retry_after=odd))
    await lab.look()
    assert lab.pauses == [0.05]


async def test_a_wait_that_would_outlast_the_call_is_not_begun() -> None:
    lab = Lab()
    lab.will(gone(retry_after="3"))
    await refused(lab.look(timeout=timedelta(seconds=3)))
    assert (lab.calls, lab.pauses) == (1, [])
    assert lab.target.budget.left == 10


async def test_all_tries_share_one_timeout() -> None:
    lab = Lab()
    lab.will(gone(retry_after="2"), gone(retry_after="1"))
    await lab.look(timeout=timedelta(seconds=10))
    assert [each.total_seconds() for each in lab.there.given] == [10, 8, 7]


async def test_without_a_timeout_the_settings_have_one() -> None:
    lab = Lab(timeout="4s")
    await lab.look()
    assert lab.there.given == [timedelta(seconds=4)]


async def test_a_call_within_another_has_what_is_left_of_it() -> None:
    lab = Lab()
    now = asyncio.get_running_loop().time()
    outer = Call("http", Operation("a.B/C"), {}, "", "en", "0" * 32)
    token = current_call.set(outer)
    outer.deadline = now + 20
    await lab.look(timeout=timedelta(hours=1))
    await lab.look(timeout=timedelta(seconds=1))
    outer.deadline = now - 1
    await refused(lab.look(), "DEADLINE_EXCEEDED")
    current_call.reset(token)
    long, short = lab.there.given
    assert timedelta(seconds=10) < long <= timedelta(seconds=20)
    assert short == timedelta(seconds=1)


async def test_tries_are_a_part_of_all_calls() -> None:
    lab = Lab(attempts=10, breaker={"consecutive": 1000, "min_calls": 1000})
    lab.will(*[gone() for _ in range(400)])
    for _ in range(100):
        await refused(lab.look(timeout=timedelta(hours=1)))
    assert 110 <= lab.calls <= 120  # ten are there at first, and a tenth of the calls
    labels = {"target": "lab", "operation": f"{SERVICE}/KeptForAll"}
    assert lab.value("client_retries_total", **labels) == lab.calls - 100
    assert (lab.value("client_retries_refused_total", **labels) or 0) >= 80
    assert (lab.value("client_retry_budget", target="lab") or 0) < 1


async def test_a_budget_of_nothing_tries_nothing_again() -> None:
    lab = Lab(budget={"ratio": 0, "burst": 0})
    lab.will(gone())
    await refused(lab.look())
    assert lab.calls == 1


async def test_an_operation_that_fails_is_left_alone_and_looked_at_again() -> None:
    lab = Lab(breaker={"consecutive": 3, "openFor": "5s"})
    lab.will(gone(), gone(), gone())
    for _ in range(3):
        await refused(lab.change())
    fault = await refused(lab.change())
    assert fault.metadata == {"retry_after": "5"}
    assert lab.calls == 3
    name = f"lab {SERVICE}/Open"
    assert lab.value("breaker_state", name=name) == State.OPEN.value
    assert await lab.look() == Done(name="done")  # another operation of the same target

    lab.clock.advance(timedelta(seconds=5))
    assert await lab.change() == Done(name="done")
    assert lab.value("breaker_state", name=name) == State.CLOSED.value


async def test_tries_end_when_the_breaker_opens() -> None:
    lab = Lab(attempts=5, breaker={"consecutive": 2})
    lab.will(*[gone() for _ in range(9)])
    fault = await refused(lab.look())
    assert lab.calls == 2
    assert fault.metadata == {"retry_after": "5"}


@pytest.mark.parametrize("reason", ["OVERLOADED", "INTERNAL", "INVALID_ARGUMENT", "LOGIN_FAILED"])
async def test_a_target_that_answers_is_not_left_alone(reason: str) -> None:
    lab = Lab(breaker={"consecutive": 2})
    lab.will(*[Fault(reason) for _ in range(5)])
    for _ in range(5):
        await refused(lab.change(), reason)
    assert lab.calls == 5


async def test_no_answer_in_time_counts_where_there_was_time() -> None:
    lab = Lab(breaker={"consecutive": 2}, patience="1s")
    lab.will(*[0.5] * 4, *[1.0] * 2)
    for _ in range(4):
        await refused(lab.change(timeout=timedelta(seconds=0.5)), "DEADLINE_EXCEEDED")
    for _ in range(2):
        await refused(lab.change(timeout=timedelta(seconds=1)), "DEADLINE_EXCEEDED")
    await refused(lab.change(), "UNAVAILABLE")
    assert lab.calls == 6


async def test_a_stream_of_replies_is_tried_again_until_the_first() -> None:
    lab = Lab()
    lab.will([gone()], ["a", "b"])
    assert [each.name async for each in lab.client.watch(Glance(name="a"))] == ["a", "b"]
    assert lab.calls == 2
    lab.will(["a", gone()])
    replies: Any = lab.client.watch(Glance(name="a"))
    assert (await anext(replies)).name == "a"
    await refused(anext(replies))
    assert lab.calls == 3


async def test_a_stream_without_replies_is_one() -> None:
    lab = Lab()
    assert [each async for each in lab.client.watch(Glance(name="a"))] == []


async def test_leaving_a_stream_ends_the_call() -> None:
    lab = Lab()
    lab.will(["a", "b"])
    replies: Any = lab.client.watch(Glance(name="a"))
    async with aclosing(replies):
        assert (await anext(replies)).name == "a"
    assert lab.there.closed == 1


async def test_a_stream_of_requests_is_sent_once() -> None:
    lab = Lab()
    lab.will(gone())
    await refused(lab.client.gather(tasks("a", "b")))
    lab.will([gone()])
    with pytest.raises(Fault, match="UNAVAILABLE"):
        async for _ in lab.client.talk(tasks("c")):
            pass
    assert lab.there.sent == ["a", "b", "c"]
    assert lab.calls == 2


async def test_a_stream_counts_for_the_breaker_by_its_first_reply() -> None:
    lab = Lab(attempts=1, breaker={"consecutive": 1, "openFor": "5s"})
    lab.will([gone()])
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await anext(lab.client.watch(Glance(name="a")))
    lab.clock.advance(timedelta(seconds=5))
    lab.will(["a", "b"], ["a"])
    running: Any = lab.client.watch(Glance(name="a"))
    async with aclosing(running):
        await anext(running)
        # The probe was well, so another stream begins while it is still running.
        assert [each.name async for each in lab.client.watch(Glance(name="a"))] == ["a"]


async def test_a_cancelled_probe_lets_another_one_through() -> None:
    lab = Lab(breaker={"consecutive": 1, "openFor": "5s"})
    lab.will(gone(), "hang")
    await refused(lab.change())
    lab.clock.advance(timedelta(seconds=5))
    probing = asyncio.create_task(lab.change())
    await lab.there.hangs.wait()
    await refused(lab.change())
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing
    assert await lab.change() == Done(name="done")


async def test_what_the_caller_itself_raises_says_nothing_of_the_target() -> None:
    lab = Lab(breaker={"consecutive": 1})
    lab.will(LookupError("mine"), LookupError("mine"))
    for _ in range(2):
        with pytest.raises(LookupError, match="mine"):
            await lab.change()
    assert lab.calls == 2


async def test_an_operation_that_no_proto_has_is_a_defect() -> None:
    with pytest.raises(KeyError):
        await Lab().channel.unary_unary(
            "lab.v1.ChainService/Nothing", Task(), Task, Done, timeout=None, headers=None
        )
