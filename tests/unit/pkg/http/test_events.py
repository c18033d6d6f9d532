"""Streams of replies as server-sent events: how they begin, end, break off and are left."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from api.lab.v1.service import chain_service
from pkg.errors import Fault
from pkg.http import HttpApp, ProfileName, profile_of
from pkg.middleware import deadline, validation
from pkg.tokens import FakeTokens
from tests.unit.pkg.http.listener import SOON, Listener
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from pkg.rpc import Call


async def test_each_reply_is_an_event() -> None:
    lab = Listener()
    await lab.listen(2, **{"accept-language": "en"})
    start, *events, last = lab.sent
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"text/event-stream",
        b"cache-control": b"no-store",
        b"x-accel-buffering": b"no",
        b"content-language": b"en",
    }
    assert [each["body"] for each in events] == [
        b'data: {"name":"a","times":1,"token":""}\n\n',
        b'data: {"name":"a","times":2,"token":""}\n\n',
    ]
    assert last == {"type": "http.response.body", "body": b"", "more_body": False}
    assert lab.service.closed.is_set()


async def test_a_stream_without_replies_is_an_answer_too() -> None:
    lab = Listener()
    await lab.listen(0)
    assert (lab.sent[0]["status"], lab.text) == (200, b"")


async def test_what_fails_before_the_first_event_is_an_ordinary_refusal() -> None:
    lab = Listener("problem")
    lab.service.error = Fault("OVERLOADED", metadata={"retry_after": "3"})
    await lab.listen(0)
    assert lab.sent[0]["status"] == 503
    headers = dict(lab.sent[0]["headers"])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"retry-after"] == b"3"


@pytest.mark.parametrize(
    ("profile", "member", "value"),
    [("envelope", "code", 4000), ("compat", "code", 4000), ("problem", "status", 500)],
)
async def test_what_fails_later_is_an_event_with_the_profiles_body(
    profile: ProfileName, member: str, value: int
) -> None:
    lab = Listener(profile)
    lab.service.error = LookupError("secret")
    await lab.listen(1)
    assert lab.sent[0]["status"] == 200
    kind, data = lab.sent[2]["body"].removesuffix(b"\n\n").split(b"\n")
    assert kind == b"event: error"
    assert orjson.loads(data.removeprefix(b"data: "))[member] == value
    assert b"secret" not in lab.text
    assert lab.sent[2]["more_body"] is False


async def test_a_defect_outside_of_recovery_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(handler: Any, _operation: Any, /) -> Any:
        async def run(call: Call, payload: Any) -> None:
            await handler(call, payload)
            raise LookupError("outside")

        return run

    lab = Listener()
    lab.app = HttpApp(
        registry(),
        (broken, validation()),
        profile_of("envelope", registry()),
        tokens=FakeTokens(),
    )
    lab.app.mount(chain_service(lab.service))
    await lab.listen(1)
    assert b"event: error" in lab.text
    assert "ChainService/Watch: a stream broke off" in caplog.text


async def test_a_client_that_leaves_cancels_the_call_and_closes_its_iterator() -> None:
    lab = Listener()
    lab.service.hold()
    listening = asyncio.create_task(lab.listen(1))
    await lab.until(2)
    lab.leaves.set()
    async with asyncio.timeout(SOON):
        await listening  # and nobody is told of it
    assert lab.service.closed.is_set()
    assert listening.cancelling() == 0
    assert len(lab.sent) == 2


async def test_who_leaves_before_the_first_event_is_not_answered() -> None:
    lab = Listener()
    lab.service.hold()
    listening = asyncio.create_task(lab.listen(0))
    await lab.service.entered.wait()
    lab.leaves.set()
    async with asyncio.timeout(SOON):
        await listening
    assert lab.sent == []


async def test_a_handler_that_makes_an_error_of_the_cancellation_changes_nothing() -> None:
    def stubborn(handler: Any, _operation: Any, /) -> Any:
        async def run(call: Call, payload: Any) -> None:
            try:
                await handler(call, payload)
            except asyncio.CancelledError:
                raise OSError("a library's own words") from None

        return run

    lab = Listener("envelope", stubborn)
    lab.service.hold()
    listening = asyncio.create_task(lab.listen(1))
    await lab.until(2)
    lab.leaves.set()
    async with asyncio.timeout(SOON):
        await listening
    assert len(lab.sent) == 2


async def test_a_server_that_stops_cancels_the_call_as_itself() -> None:
    lab = Listener()
    lab.service.hold()
    listening = asyncio.create_task(lab.listen(1))
    await lab.until(2)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert lab.service.closed.is_set()


async def test_a_client_that_reads_slowly_slows_the_iterator_down() -> None:
    lab = Listener()
    lab.reads.clear()
    listening = asyncio.create_task(lab.listen(1000))
    for _ in range(20):
        await asyncio.sleep(0)
    assert lab.service.made == 1
    lab.reads.set()
    async with asyncio.timeout(SOON):
        await listening
    assert lab.service.made == 1000


async def test_a_silent_stream_shows_signs_of_life() -> None:
    lab = Listener()
    lab.service.hold()
    listening = asyncio.create_task(lab.listen(0))
    await lab.service.entered.wait()
    for beats in (1, 2):
        lab.beats.beat()
        await lab.until(1 + beats)
    assert (lab.sent[0]["status"], lab.text) == (200, b":\n\n:\n\n")
    assert set(lab.beats.asked) == {timedelta(seconds=7)}
    lab.service.error = Fault("INVALID_ARGUMENT")
    lab.service.go_on.set()
    await listening
    assert lab.sent[-1]["body"].startswith(b"event: error\ndata: {")


async def test_a_stream_that_takes_too_long_is_told_so() -> None:
    lab = Listener("problem", deadline(timedelta(seconds=1), timedelta(milliseconds=20)))
    lab.service.hold()
    async with asyncio.timeout(SOON):
        await lab.listen(1)
    assert b"DEADLINE_EXCEEDED" in lab.sent[-1]["body"]
    assert lab.service.closed.is_set()


async def test_a_streams_client_may_say_how_long_it_listens() -> None:
    lab = Listener("problem", deadline(timedelta(seconds=1)))
    lab.service.hold()
    async with asyncio.timeout(SOON):
        await lab.listen(1, **{"request-timeout": "20ms"})
    assert b"DEADLINE_EXCEEDED" in lab.sent[-1]["body"]
