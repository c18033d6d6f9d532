"""Generated clients through a channel: refusals come back, the current call goes along."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from api.lab.strict.v1 import Line
from api.lab.strict.v1.service import StrictServiceClient
from pkg.config import ByteSize
from pkg.errors import Fault, Violation
from pkg.grpc import GrpcChannel, GrpcChannelSettings
from pkg.rpc import Call, Operation, current_call
from tests.unit.pkg.grpc.strict import SOON, running
from tests.unit.pkg.lab_registry import registry

TRACE = "0af7651916cd43dd8448eb211c80319c"


def channel(target: str, **changes: Any) -> GrpcChannel:
    return GrpcChannel(target, registry(), GrpcChannelSettings(**changes))


def call(**known: Any) -> Call:
    given: dict[str, Any] = {"headers": {}, "peer": "", "language": "en", "trace_id": TRACE}
    return Call(kind="http", operation=Operation("a.B/C"), **{**given, **known})


async def lines(*texts: str) -> AsyncIterator[Line]:
    for text in texts:
        yield Line(line_text=text)


async def test_a_target_that_is_not_there_is_unavailable_and_tells_no_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with channel(f"127.0.0.1:{port}") as open_channel:
        client = StrictServiceClient(open_channel)
        with pytest.raises(Fault) as one:
            await client.say(Line(line_text="a"), timeout=SOON)
        with pytest.raises(Fault) as many:
            async for _ in client.split(Line(line_text="a"), timeout=SOON):
                pass
    for fault in (one.value, many.value):
        assert (fault.reason, fault.detail) == ("UNAVAILABLE", "")
        assert str(port) in str(fault.__cause__)


async def test_a_call_that_takes_too_long_is_deadline_exceeded() -> None:
    async with running() as run, channel(run.target) as open_channel:
        client = StrictServiceClient(open_channel)
        soon = timedelta(milliseconds=50)
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await client.say(Line(line_text="wait"), timeout=soon)
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            async for _ in client.split(Line(line_text="wait"), timeout=soon):
                pass


async def test_without_a_timeout_the_channels_own_holds() -> None:
    quick = timedelta(milliseconds=50)
    async with running() as run, channel(run.target, timeout=quick) as open_channel:
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await StrictServiceClient(open_channel).say(Line(line_text="wait"))


async def test_a_fault_comes_back_as_it_was_raised() -> None:
    async with running() as run, channel(run.target) as open_channel:
        run.strict.error = Fault("LOGIN_FAILED", "wrong", metadata={"left": "2"})
        client = StrictServiceClient(open_channel)
        for calling in (client.say(Line(line_text="a")), client.split(Line(line_text="break"))):
            with pytest.raises(Fault) as found:
                await first_of(calling)
            assert (found.value.reason, found.value.detail) == ("LOGIN_FAILED", "wrong")
            assert dict(found.value.metadata) == {"left": "2"}


async def first_of(calling: Any) -> Any:
    if isinstance(calling, AsyncIterator):
        return await anext(calling)
    return await calling


async def test_violations_come_back_in_the_language_of_the_current_call() -> None:
    async with running() as run, channel(run.target) as open_channel:
        client = StrictServiceClient(open_channel)
        found: list[tuple[Violation, ...]] = []
        for language in ("en", "zh"):
            token = current_call.set(call(language=language))
            with pytest.raises(Fault) as raised:
                await client.join(lines("good", ""))
            current_call.reset(token)
            assert raised.value.reason == "INVALID_ARGUMENT"
            found.append(raised.value.violations)
    assert [(each.field, each.rule) for (each,) in found] == [
        ("lineText", "string.min_len"),
        ("lineText", "string.min_len"),
    ]
    assert found[0][0].message.isascii()
    assert not found[1][0].message.isascii()


async def test_what_the_requests_raise_ends_the_call_and_is_raised() -> None:
    async def broken() -> AsyncIterator[Line]:
        yield Line(line_text="good")
        raise LookupError("no more")

    async with running() as run, channel(run.target) as open_channel:
        client = StrictServiceClient(open_channel)
        with pytest.raises(LookupError, match="no more"):
            await client.join(broken())
        with pytest.raises(LookupError, match="no more"):
            async for _ in client.talk(broken()):
                pass


async def test_a_refusal_in_mid_stream_is_told_however_much_is_still_to_be_sent() -> None:
    many = ["good", "", *["late"] * 2000]
    async with running() as run, channel(run.target) as open_channel:
        client = StrictServiceClient(open_channel)
        for _ in range(10):
            with pytest.raises(Fault, match="INVALID_ARGUMENT"):
                await client.join(lines(*many))
            with pytest.raises(Fault, match="INVALID_ARGUMENT"):
                async for _ in client.talk(lines(*many)):
                    pass


async def test_a_task_that_is_cancelled_cancels_its_call() -> None:
    async with running() as run, channel(run.target) as open_channel:
        calling = asyncio.ensure_future(
            StrictServiceClient(open_channel).say(Line(line_text="wait"))
        )
        await run.there(run.strict.entered)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await run.there(run.strict.closed)


async def test_a_cancelled_client_stream_is_a_cancellation() -> None:
    async def endless() -> AsyncIterator[Line]:
        yield Line(line_text="good")
        await asyncio.Event().wait()

    async with running() as run, channel(run.target) as open_channel:
        client = StrictServiceClient(open_channel)
        joining = asyncio.ensure_future(client.join(endless()))
        await run.there(run.strict.hears)
        joining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await joining


async def test_leaving_the_replies_cancels_the_call() -> None:
    async with running() as run, channel(run.target) as open_channel:
        replies: Any = StrictServiceClient(open_channel).split(Line(line_text="one wait two"))
        assert (await anext(replies)).line_text == "one"
        await run.there(run.strict.entered)
        await replies.aclose()
        await run.there(run.strict.closed)


async def test_all_four_kinds_of_call() -> None:
    async with running() as run, channel(run.target) as open_channel:
        client = StrictServiceClient(open_channel)
        assert (await client.say(Line(line_text="a", tags=["t"]))) == Line(
            line_text="A", tags=["t"]
        )
        assert [each.line_text async for each in client.split(Line(line_text="a b"))] == [
            "a",
            "b",
        ]
        assert (await client.join(lines("a", "b"))).line_text == "a b"
        assert [each.line_text async for each in client.talk(lines("a", "b"))] == ["A", "B"]
    gc.collect()


async def test_what_the_current_call_is_part_of_goes_along() -> None:
    loop = asyncio.get_running_loop()
    traceparent = f"00-{TRACE}-b7ad6b7169203331-00"
    outer = call(headers={"traceparent": traceparent}, deadline=loop.time() + 30)
    outer.request_id = "r1"
    async with running() as run, channel(run.target) as open_channel:
        client = StrictServiceClient(open_channel)
        token = current_call.set(outer)
        before = run.loop.time()
        await client.say(Line(line_text="a"), timeout=timedelta(hours=1))
        await client.say(Line(line_text="a"), timeout=timedelta(seconds=5))
        current_call.reset(token)
        await client.say(Line(line_text="a"), headers={"authorization": "Bearer a"})
        within, shorter, alone = run.strict.calls
    assert within.deadline is not None
    assert shorter.deadline is not None
    assert before + 20 < within.deadline < before + 40
    assert shorter.deadline < before + 10
    assert (within.language, within.trace_id) == ("en", TRACE)
    assert within.headers["x-request-id"] == "r1"
    version, trace, span, flags = within.headers["traceparent"].split("-")
    assert (version, trace, span, flags) == ("00", TRACE, "b7ad6b7169203331", "00")
    assert alone.headers["authorization"] == "Bearer a"
    assert "traceparent" not in alone.headers


@pytest.mark.parametrize("forward", [False, True])
async def test_the_callers_token_goes_along_by_choice_only(*, forward: bool) -> None:
    outer = call(headers={"authorization": "Bearer theirs"})
    async with (
        running() as run,
        channel(run.target, forward_authorization=forward) as open_channel,
    ):
        client = StrictServiceClient(open_channel)
        token = current_call.set(outer)
        await client.say(Line(line_text="a"))
        await client.say(Line(line_text="a"), headers={"authorization": "Bearer ours"})
        current_call.reset(token)
        await client.say(Line(line_text="a"))
    found = [each.headers.get("authorization") for each in run.strict.calls]
    assert found == ["Bearer theirs" if forward else None, "Bearer ours", None]


async def test_a_trace_that_begins_here_is_sampled() -> None:
    async with running() as run, channel(run.target) as open_channel:
        token = current_call.set(call())
        await StrictServiceClient(open_channel).say(Line(line_text="a"))
        current_call.reset(token)
        assert run.strict.calls[0].headers["traceparent"].endswith("-01")


async def test_a_call_without_time_left_is_not_made() -> None:
    async with running() as run, channel(run.target) as open_channel:
        token = current_call.set(call(deadline=asyncio.get_running_loop().time() - 1))
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await StrictServiceClient(open_channel).say(Line(line_text="a"))
        current_call.reset(token)
        assert run.strict.calls == []


async def test_a_reply_above_the_limit_is_refused() -> None:
    small = ByteSize(16)
    async with running() as run, channel(run.target, max_receive_message=small) as narrow:
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await StrictServiceClient(narrow).say(Line(line_text="a" * 50))


async def test_a_channel_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await StrictServiceClient(channel("127.0.0.1:1")).say(Line(line_text="a"))
