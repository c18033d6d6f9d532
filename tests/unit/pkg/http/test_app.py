"""Calls as the app makes them of requests, and what it does with requests that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api.lab.v1.service import route_service
from pkg.errors import Fault
from pkg.rpc import Call, Handler, Operation, current_call
from tests.unit.pkg.http.lab import LOGIN, Exchange, Shelves, chunks, lab

if TYPE_CHECKING:
    from api.lab.v1 import Shelf


class Counting:
    """A middleware that keeps the operations that it sees, and how they end."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, handler: Handler, operation: Operation, /) -> Handler:
        async def run(call: Call, payload: Any) -> Any:
            assert current_call.get() is call
            try:
                reply = await handler(call, payload)
            except Fault as fault:
                self.seen.append((operation.name, fault.reason))
                raise
            self.seen.append((operation.name, "OK"))
            return reply

        return run


async def test_a_call_says_what_the_request_says() -> None:
    made = lab()

    await made.ask(
        "GET",
        "/v1/captcha",
        headers={
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "accept-language": "en",
            "x-request-id": "r1",
            "authorization": "Bearer t",
        },
    )

    (call,) = made.auth.calls
    assert call.kind == "http"
    assert call.operation.name == "user.http.v1.AuthService/GetCaptcha"
    assert call.peer == "127.0.0.1"
    assert call.language == "en"
    assert call.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert call.request_id == "r1"
    assert call.headers["authorization"] == "Bearer t"


async def test_a_request_that_says_nothing_gets_a_trace_and_the_first_language() -> None:
    made = lab()

    first, second = [await made.ask("GET", "/v1/captcha") for _ in range(2)]

    assert first.json()["msg"] == "成功"
    assert first.json()["traceID"] != second.json()["traceID"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_server_that_gives_no_raw_path_and_no_client_is_served() -> None:
    made = lab()
    exchange = Exchange("GET", "/v1/captcha")

    await exchange.run(made.http, raw_path=None, client=None)

    assert exchange.status == 200
    assert made.auth.calls[0].peer == ""


async def test_a_call_is_nobodys_after_its_end() -> None:
    await lab().ask("GET", "/v1/captcha")

    assert current_call.get() is None


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/login", "OPTIONS, POST"),
        ("HEAD", "/v1/captcha", "GET, OPTIONS"),
        ("PATCH", "/v1/lab/shelves/a", "DELETE, GET, OPTIONS, PURGE"),
        ("get", "/v1/captcha", "GET, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allow: str) -> None:
    exchange = await Exchange(method, path).run(lab().http)

    assert exchange.status == 405
    assert exchange.header("allow") == [allow]


async def test_options_says_what_there_is() -> None:
    answer = await lab().ask("OPTIONS", "/v1/login")

    assert answer.status_code == 204
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert "x-request-id" in answer.headers
    assert answer.content == b""


async def test_options_of_nothing_is_not_found() -> None:
    assert (await lab().ask("OPTIONS", "/v1/nothing")).status_code == 404


async def test_the_chain_sees_what_no_route_takes_under_one_name() -> None:
    counting = Counting()
    made = lab(chain=[counting])

    await made.ask("GET", "/v1/nothing/7")
    await made.ask("GET", "/v1/login")

    assert counting.seen == [
        ("unmatched", "ROUTE_NOT_FOUND"),
        ("unmatched", "METHOD_NOT_ALLOWED"),
    ]


async def test_the_chain_sees_what_is_wrong_with_a_body() -> None:
    counting = Counting()
    made = lab(chain=[counting])

    await made.ask("POST", "/v1/login", content=b"x" * 1001)
    await made.ask("POST", "/v1/login", data=LOGIN)
    await made.ask("POST", "/v1/login", content=b"{")

    assert [reason for _, reason in counting.seen] == [
        "BODY_TOO_LARGE",
        "UNSUPPORTED_MEDIA_TYPE",
        "INVALID_ARGUMENT",
    ]


async def test_streams_of_requests_are_not_served() -> None:
    served = [each.name for each in lab().http.operations]

    assert "lab.v1.StreamService/Echo" in served
    assert "lab.v1.StreamService/Count" in served
    assert "lab.v1.StreamService/Sum" not in served


def test_mounting_the_same_paths_twice_is_refused() -> None:
    made = lab()

    with pytest.raises(ValueError, match="takes the same paths"):
        made.http.mount(route_service(Shelves()))


class Broken(Shelves):
    """Answers what JSON cannot say."""

    async def probe_shelf(self, request: Shelf, call: Call, /) -> Shelf:
        request.name = "\ud800"
        return request


async def test_what_cannot_be_said_in_json_is_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    answer = await lab(shelves=Broken()).ask("PURGE", "/v1/lab/shelves/a")

    assert answer.status_code == 500
    assert answer.json()["code"] == 4000
    assert "ProbeShelf" in caplog.text


async def test_websockets_are_turned_away() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await lab().http({"type": "websocket"}, receive, send)

    assert [each["type"] for each in sent] == ["websocket.close"]


async def test_an_app_alone_starts_and_stops() -> None:
    sent: list[Any] = []
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await lab().http({"type": "lifespan"}, receive, send)

    assert [each["type"] for each in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_an_unknown_kind_of_connection_is_an_error() -> None:
    with pytest.raises(ValueError, match="telex"):
        await lab().http({"type": "telex"}, chunks, chunks)  # type: ignore[arg-type] # never called
