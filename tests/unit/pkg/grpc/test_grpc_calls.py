"""Calls through a real server: the chain around all four kinds, what a call knows, who leaves."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from pkg.errors import Fault
from tests.unit.pkg.grpc.strict import (
    SERVICE,
    Refusal,
    bytes_of,
    decoded,
    encoded,
    forever,
    refusal,
    running,
)

if TYPE_CHECKING:
    from pkg.rpc import Call, Handler, Operation


pytestmark = pytest.mark.usefixtures("engine")


class Notes:
    """A middleware that notes what passes, and may answer in the handler's place."""

    def __init__(self, refuse: Exception | None = None) -> None:
        self.seen: list[str] = []
        self._refuse = refuse

    def __call__(self, handler: Handler, operation: Operation, /) -> Handler:
        async def noted(call: Call, payload: Any) -> Any:
            self.seen.append("begin")
            try:
                if self._refuse is not None:
                    raise self._refuse
                send = call.send
                if send is not None:

                    async def counted(reply: Any) -> None:
                        self.seen.append("reply")
                        await send(reply)

                    call.send = counted
                return await handler(call, payload)
            except BaseException as error:
                self.seen.append(type(error).__name__)
                raise
            finally:
                self.seen.append("end")

        return noted


def replying(*headers: tuple[str, str]) -> Any:
    """A middleware that sends headers with the reply."""

    def wrap(handler: Handler, _operation: Operation) -> Handler:
        async def added(call: Call, payload: Any) -> Any:
            call.reply_headers += headers
            return await handler(call, payload)

        return added

    return wrap


async def test_undecodable_bytes_are_the_callers_fault() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        for kind, method, raw in (
            ("unary_unary", "Say", b"\xff\xff"),
            ("unary_stream", "Split", encoded("cut short")[:-1]),
        ):
            found = await refusal(getattr(channel, kind)(f"/{SERVICE}/{method}")(raw))
            assert found.code is grpc.StatusCode.INVALID_ARGUMENT
            assert list(found.fields) == [""]
        assert run.strict.calls == []


@pytest.mark.parametrize(("kind", "method"), [("stream_unary", "Join"), ("stream_stream", "Talk")])
@pytest.mark.parametrize("bad", [b"\xff\xff", encoded("x" * 101)])
async def test_a_bad_message_in_a_client_stream_ends_it(kind: str, method: str, bad: bytes) -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        call = getattr(channel, kind)(f"/{SERVICE}/{method}")()
        await call.write(encoded("good"))
        await call.write(bad)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await (call if kind == "stream_unary" else forever(call.read))
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert run.strict.heard == ["good"]


async def test_what_breaks_a_rule_never_reaches_the_service() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        found = await refusal(channel.unary_unary(f"/{SERVICE}/Say")(encoded("", "a", "")))
        assert found.code is grpc.StatusCode.INVALID_ARGUMENT
        assert list(found.fields) == ["lineText", "tags[1]"]
        assert run.strict.calls == []


async def test_an_unknown_method_and_an_unknown_service_are_unimplemented() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        for path in (f"/{SERVICE}/Shout", "/no.Service/Say", "/"):
            found = await refusal(channel.unary_unary(path)(b""))
            assert found.code is grpc.StatusCode.UNIMPLEMENTED


async def test_a_request_above_the_limit_is_refused() -> None:
    from pkg.config import ByteSize

    async with (
        running(max_receive_message=ByteSize(1024)) as run,
        grpc.aio.insecure_channel(run.target) as channel,
    ):
        found = await refusal(channel.unary_unary(f"/{SERVICE}/Say")(b"x" * 1025))
        assert found.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert run.strict.calls == []


async def test_a_middleware_refuses_before_anything_is_parsed() -> None:
    notes = Notes(refuse=Fault("PERMISSION_DENIED"))
    async with running([notes]) as run, grpc.aio.insecure_channel(run.target) as channel:
        found = await refusal(channel.unary_unary(f"/{SERVICE}/Say")(b"\xff\xff"))
        assert found.code is grpc.StatusCode.PERMISSION_DENIED


async def test_a_defect_is_internal_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        run.strict.error = RuntimeError("password of the database")
        for kind, method in (("unary_unary", "Say"), ("unary_stream", "Split")):
            found = await refusal(getattr(channel, kind)(f"/{SERVICE}/{method}")(encoded("break")))
            assert found.code is grpc.StatusCode.INTERNAL
            assert found.info.reason == "INTERNAL"
            assert "password" not in str(found.trailers) + str(found.text)
    told = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert [each.getMessage() for each in told] == [
        f"{SERVICE}/Say failed",
        f"{SERVICE}/Split failed",
    ]
    assert all(each.exc_info and "database" in str(each.exc_info[1]) for each in told)


async def test_all_four_kinds_of_call_answer() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        say = await channel.unary_unary(f"/{SERVICE}/Say")(encoded("hello"))
        split = channel.unary_stream(f"/{SERVICE}/Split")(encoded("a b c"))
        words = [decoded(raw) async for raw in split]
        many = bytes_of([encoded("x"), encoded("y")])
        join = await channel.stream_unary(f"/{SERVICE}/Join")(many)
        many = bytes_of([encoded("x"), encoded("y")])
        talk = [decoded(raw) async for raw in channel.stream_stream(f"/{SERVICE}/Talk")(many)]
    assert (decoded(say), words, decoded(join), talk) == (
        "HELLO",
        ["a", "b", "c"],
        "x y",
        ["X", "Y"],
    )


async def test_the_chain_ends_when_the_stream_ends_not_when_it_is_made() -> None:
    notes = Notes()
    async with running([notes]) as run, grpc.aio.insecure_channel(run.target) as channel:
        call = channel.unary_stream(f"/{SERVICE}/Split")(encoded("one wait two"))
        assert decoded(await call.read()) == "one"
        await run.there(run.strict.entered)
        assert notes.seen == ["begin", "reply"]
        run.let_go_on()
        assert decoded(await call.read()) == "wait"
        assert decoded(await call.read()) == "two"
        assert await call.read() is grpc.aio.EOF
    assert notes.seen == ["begin", "reply", "reply", "reply", "end"]


async def test_an_error_in_mid_stream_passes_the_chain() -> None:
    notes = Notes()
    async with running([notes]) as run, grpc.aio.insecure_channel(run.target) as channel:
        run.strict.error = Fault("TOO_MANY_REQUESTS", metadata={"retry_after": "7"})
        call = channel.unary_stream(f"/{SERVICE}/Split")(encoded("one break"))
        assert decoded(await call.read()) == "one"
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call.read()
    found = Refusal(raised.value)
    assert found.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert found.retry.retry_delay.seconds == 7
    assert notes.seen == ["begin", "reply", "Fault", "end"]


async def test_a_caller_that_leaves_a_stream_closes_the_services_iterator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes = Notes()
    async with running([notes]) as run, grpc.aio.insecure_channel(run.target) as channel:
        call = channel.unary_stream(f"/{SERVICE}/Split")(encoded("one wait two"))
        assert decoded(await call.read()) == "one"
        await run.there(run.strict.entered)
        call.cancel()
        await run.there(run.strict.closed)
    assert notes.seen == ["begin", "reply", "CancelledError", "end"]
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_caller_that_leaves_a_unary_call_cancels_it_and_nothing_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes = Notes()
    async with running([notes]) as run, grpc.aio.insecure_channel(run.target) as channel:
        call = channel.unary_unary(f"/{SERVICE}/Say")(encoded("wait"))
        await run.there(run.strict.entered)
        call.cancel()
        await run.there(run.strict.closed)
    assert notes.seen == ["begin", "CancelledError", "end"]
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_caller_that_leaves_while_replies_are_sent_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes = Notes()
    async with running([notes]) as run, grpc.aio.insecure_channel(run.target) as channel:
        for _ in range(20):
            run.strict.closed.clear()
            call = channel.unary_stream(f"/{SERVICE}/Split")(encoded("a " * 50))
            await call.read()
            call.cancel()
            await run.there(run.strict.closed)
    assert set(notes.seen) <= {"begin", "reply", "CancelledError", "end"}
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_the_callers_deadline_is_on_the_loops_clock_and_ends_the_call() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        before = run.loop.time()
        await channel.unary_unary(f"/{SERVICE}/Say")(encoded("hello"), timeout=60)
        await channel.unary_unary(f"/{SERVICE}/Say")(encoded("hello"))
        bounded, boundless = run.strict.calls
        assert bounded.deadline is not None
        assert before + 50 < bounded.deadline < run.loop.time() + 61
        assert boundless.deadline is None
        late = await refusal(channel.unary_unary(f"/{SERVICE}/Say")(encoded("wait"), timeout=2))
        assert late.code is grpc.StatusCode.DEADLINE_EXCEEDED
        await run.there(run.strict.closed)


async def test_a_call_knows_its_headers_peer_language_and_trace() -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    metadata = (
        ("authorization", "Bearer a"),
        ("authorization", "Bearer b"),
        ("accept-language", "fr, en;q=0.8"),
        ("traceparent", f"00-{trace}-b7ad6b7169203331-01"),
        ("blob-bin", b"\x00\xff"),
    )
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        say = channel.unary_unary(f"/{SERVICE}/Say")
        await say(encoded("hello"), metadata=metadata)
        await say(encoded("hello"))
        told, untold = run.strict.calls
    assert told.kind == "grpc"
    assert told.operation.name == f"{SERVICE}/Say"
    assert told.headers["authorization"] == "Bearer a, Bearer b"
    assert "blob-bin" not in told.headers
    assert (told.peer, told.language, told.trace_id) == ("127.0.0.1", "en", trace)
    assert (untold.language, len(untold.trace_id)) == ("zh", 32)


async def test_reply_headers_are_the_metadata_before_a_stream_and_after_a_reply() -> None:
    chain = [replying(("x-request-id", "r1"), ("x-twice", "a"), ("x-twice", "b"))]
    async with running(chain) as run, grpc.aio.insecure_channel(run.target) as channel:
        say = channel.unary_unary(f"/{SERVICE}/Say")(encoded("hello"))
        split = channel.unary_stream(f"/{SERVICE}/Split")(encoded("hello"))
        # A reply that is not read yet keeps the status back: where that overtakes the metadata,
        # grpc.aio gives empty ones.
        talk = channel.stream_stream(f"/{SERVICE}/Talk")(bytes_of([encoded("hello")]))
        for sent in (
            await say.trailing_metadata(),
            await split.initial_metadata(),
            await talk.initial_metadata(),
        ):
            assert ("x-request-id", "r1") in list(sent)
            assert [value for name, value in sent if name == "x-twice"] == ["a", "b"]
        split.cancel()
        talk.cancel()


async def test_reply_headers_go_with_a_refusal_too() -> None:
    chain = [replying(("x-request-id", "r1"))]
    async with running(chain) as run, grpc.aio.insecure_channel(run.target) as channel:
        found = await refusal(channel.unary_unary(f"/{SERVICE}/Say")(encoded("")))
        assert found.trailers["x-request-id"] == "r1"


async def test_many_calls_at_a_time_on_both_loops_cause_no_noise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        say = channel.unary_unary(f"/{SERVICE}/Say")

        async def one() -> str:
            return decoded(await say(encoded("hello")))

        for _ in range(5):
            assert set(await asyncio.gather(*(one() for _ in range(100)))) == {"HELLO"}
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_reply_that_cannot_be_written_is_internal() -> None:
    def wrap(handler: Handler, _operation: Operation) -> Handler:
        async def wrong(call: Call, payload: Any) -> Any:
            reply = await handler(call, payload)
            reply.line_text = 7
            return reply

        return wrong

    async with running([wrap]) as run, grpc.aio.insecure_channel(run.target) as channel:
        found: Refusal = await refusal(channel.unary_unary(f"/{SERVICE}/Say")(encoded("hello")))
        assert found.code is grpc.StatusCode.INTERNAL
