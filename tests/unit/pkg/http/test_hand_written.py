"""Hand-written routes: the same chain, the same answers, and streams both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import orjson
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field

from pkg.errors import Fault
from pkg.http.current_call import CurrentCall, current
from pkg.http.hand_written import adopt, application, declares
from pkg.middleware import recovery
from pkg.rpc import Auth, Call, Handler, Operation
from tests.unit.pkg.http.lab import Exchange, Lab, chunks, lab

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from pkg.http import ProfileName


class Note(BaseModel):
    text: Annotated[str, Field(min_length=3)]
    size: int = 0


class Bearer:
    """A middleware that lets in who brings a token, and keeps how calls ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    def __call__(self, handler: Handler, operation: Operation, /) -> Handler:
        async def run(call: Call, payload: Any) -> Any:
            try:
                if operation.auth.needs_token and "authorization" not in call.headers:
                    raise Fault("UNAUTHENTICATED")
                reply = await handler(call, payload)
            except Exception as error:
                name = error.reason if isinstance(error, Fault) else type(error).__name__
                self.ended.append((operation.name, name))
                raise
            self.ended.append((operation.name, "OK"))
            return reply

        return run


def public(name: str, **more: Any) -> Operation:
    return Operation(f"t.S/{name}", auth=Auth.PUBLIC, **more)


def notes() -> FastAPI:
    """An app with one route of every kind."""
    app = application("notes")

    @app.post("/notes/{id}")
    @declares(public("Write"))
    async def write(id: int, note: Note, call: CurrentCall) -> dict[str, Any]:  # noqa: A002 - its name in the path
        call.reply_headers.append(("x-note", str(id)))
        return {"id": id, "text": note.text, "language": call.language}

    @app.get("/notes/{id}/raw")
    @declares(public("Raw"))
    async def raw(id: Annotated[int, Path(ge=1)], tail: Annotated[int, Query()] = 0) -> Any:  # noqa: A002
        return PlainTextResponse(f"note {id} {tail}")

    @app.get("/files/{name:path}")
    @declares(public("Download"))
    async def download(name: str) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield name.encode()
            if name == "broken":
                raise OSError("the disk is gone")
            yield b"."

        return StreamingResponse(pieces(), media_type="application/octet-stream")

    @app.put("/files/{name}")
    @declares(public("Upload"), max_body=2000)
    async def upload(name: str, request: Request) -> dict[str, int]:
        """Store a file

        Whatever it is.
        """
        return {"size": sum([len(each) async for each in request.stream()])}

    @app.get("/secret")
    @declares(Operation("t.S/Secret"))
    async def secret() -> str:
        return "s"

    @app.get("/nothing")
    @declares(public("Nothing"))
    async def nothing() -> None:
        return None

    @app.get("/fails/{how}")
    @declares(public("Fail"))
    async def fail(how: str) -> Any:
        match how:
            case "fault":
                raise Fault("AVATAR_NOT_FOUND", "u7", metadata={"retry_after": "5"})
            case "defect":
                raise RuntimeError("select * from user")
            case "json":
                return JSONResponse({"mine": True}, status_code=418)
            case _:
                detail = "as it is" if how == "409" else None
                raise HTTPException(int(how), detail, {"X-Why": "because"})

    return app


def served(profile: ProfileName = "envelope", *chain: Any) -> Lab:
    made = lab(profile, chain)
    adopt(made.http, notes())
    return made


@pytest.mark.parametrize(
    ("profile", "data"),
    [
        ("envelope", lambda body: body["data"]),
        ("compat", lambda body: body["data"]),
        ("problem", lambda body: body),
    ],
)
async def test_a_json_answer_is_the_profiles_data(profile: ProfileName, data: Any) -> None:
    answer = await served(profile).ask("POST", "/notes/7", json={"text": "abc"})

    assert answer.status_code == 200
    assert data(answer.json()) == {"id": 7, "text": "abc", "language": "zh"}
    assert answer.headers["x-note"] == "7"
    assert "x-request-id" in answer.headers
    assert answer.headers["content-language"] == "zh"
    assert answer.headers["content-length"] == str(len(answer.content))
    if profile != "problem":
        assert list(answer.json()) == ["code", "msg", "data", "traceID"]


async def test_nothing_is_an_empty_object() -> None:
    assert (await served().ask("GET", "/nothing")).json()["data"] == {}


async def test_what_is_not_json_passes_as_it_is() -> None:
    answer = await served().ask("GET", "/notes/7/raw?tail=3")

    assert answer.text == "note 7 3"
    assert answer.headers["content-type"].startswith("text/plain")
    assert "x-request-id" in answer.headers


async def test_an_error_that_the_endpoint_writes_itself_passes_as_it_is() -> None:
    answer = await served().ask("GET", "/fails/json")

    assert (answer.status_code, answer.json()) == (418, {"mine": True})


async def test_a_download_comes_piece_by_piece_inside_the_chain() -> None:
    bearer = Bearer()
    exchange = Exchange("GET", "/files/a/b")

    await exchange.run(served("envelope", bearer).http)

    assert [each.get("body") for each in exchange.sent[1:]] == [b"a/b", b".", b""]
    assert bearer.ended == [("t.S/Download", "OK")]


async def test_a_download_that_breaks_off_is_cut_off_and_counted() -> None:
    bearer = Bearer()
    exchange = Exchange("GET", "/files/broken")

    with pytest.raises(Exception, match=r"t\.S/Download") as caught:
        await exchange.run(served("envelope", bearer).http)

    assert isinstance(caught.value.__cause__, OSError)
    assert [each["type"] for each in exchange.sent].count("http.response.start") == 1
    assert bearer.ended == [("t.S/Download", "OSError")]


async def test_an_upload_is_read_as_a_stream_up_to_the_routes_own_limit() -> None:
    made = served()
    exchange = Exchange("PUT", "/files/a", incoming=chunks(b"x" * 1500, b"x" * 500))

    await exchange.run(made.http)

    assert orjson.loads(exchange.body)["data"] == {"size": 2000}


@pytest.mark.parametrize(
    ("headers", "parts", "read"),
    [
        ({}, [b"x" * 2001], 1),
        ({}, [b"x" * 2000, b"x", b"x"], 2),
        ({"content-length": "2001"}, [b"x"], 0),
    ],
)
async def test_an_upload_beyond_the_limit_is_refused(
    headers: dict[str, str], parts: list[bytes], read: int
) -> None:
    exchange = Exchange("PUT", "/files/a", headers=headers, incoming=chunks(*parts))

    await exchange.run(served().http)

    assert exchange.status == 413
    assert exchange.received == read
    assert orjson.loads(exchange.body)["code"] == 4032


async def test_a_json_body_beyond_the_apps_limit_is_refused() -> None:
    answer = await served().ask("POST", "/notes/7", json={"text": "x" * 1001})

    assert answer.status_code == 413
    assert answer.json()["code"] == 4032


async def test_a_client_that_leaves_is_told_nothing_and_no_defect() -> None:
    bearer = Bearer()
    exchange = Exchange(
        "PUT", "/files/a", incoming=[*chunks(b"x", b"")[:1], {"type": "http.disconnect"}]
    )

    await exchange.run(served("envelope", bearer).http)

    assert bearer.ended == [("t.S/Upload", "INVALID_ARGUMENT")]


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("fault", 404, 4051),
        ("defect", 500, 4000),
        ("400", 400, 4002),
        ("401", 401, 4004),
        ("403", 403, 4006),
        ("404", 404, 4030),
        ("409", 400, 4002),
        ("415", 415, 4033),
        ("429", 429, 4014),
        ("500", 500, 4000),
        ("503", 503, 4035),
    ],
)
async def test_every_refusal_is_in_the_profile(how: str, status: int, code: int) -> None:
    bearer = Bearer()

    answer = await served("problem", bearer).ask("GET", f"/fails/{how}")

    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.headers["content-type"] == "application/problem+json"
    assert "select" not in answer.text
    assert bearer.ended[0][1] != "OK"
    if how.isdigit() and int(how) != 500:
        assert answer.headers["x-why"] == "because"


async def test_what_a_refusal_says_is_kept_where_somebody_wrote_it() -> None:
    made = served("problem")

    assert (await made.ask("GET", "/fails/409")).json()["detail"] == "as it is"
    assert (await made.ask("GET", "/fails/403")).json()["detail"] == ""
    fault = await made.ask("GET", "/fails/fault")
    assert fault.json()["detail"] == "u7"
    assert fault.headers["retry-after"] == "5"


async def test_a_defect_is_recovered_from_like_any_other() -> None:
    told: list[Exception] = []
    made = served("envelope", recovery(lambda _, error: told.append(error)))

    answer = await made.ask("GET", "/fails/defect")

    assert answer.status_code == 500
    assert [type(each) for each in told] == [RuntimeError]


@pytest.mark.parametrize(
    ("method", "path", "more", "violations"),
    [
        ("POST", "/notes/7", {"json": {}}, [("text", "required", "必填")]),
        (
            "POST",
            "/notes/7",
            {"json": {"text": "a"}},
            [("text", "string.min_len", "长度不能少于 3 个字符")],
        ),
        (
            "POST",
            "/notes/7",
            {"json": {"text": "abc", "size": "x"}},
            [("size", "type", "格式不正确")],
        ),
        ("POST", "/notes/x", {"json": {"text": "abc"}}, [("id", "type", "格式不正确")]),
        ("POST", "/notes/7", {"content": b"{"}, None),
        ("GET", "/notes/0/raw", {}, [("id", "double.gte", "必须大于或等于 1")]),
        ("GET", "/notes/1/raw?tail=x", {}, [("tail", "type", "格式不正确")]),
    ],
)
async def test_what_fastapi_finds_wrong_is_a_list_of_violations(
    method: str, path: str, more: dict[str, Any], violations: list[tuple[str, str, str]] | None
) -> None:
    answer = await served().ask(method, path, **more)

    assert answer.status_code == 400
    assert answer.json()["code"] == 4002
    if violations is not None:
        found = answer.json()["data"]["violations"]
        assert [(each["field"], each["rule"], each["message"]) for each in found] == violations


async def test_a_route_is_guarded_by_the_chain() -> None:
    made = served("envelope", Bearer())

    assert (await made.ask("GET", "/secret")).status_code == 401
    answer = await made.ask("GET", "/secret", headers={"authorization": "Bearer t"})
    assert answer.json()["data"] == "s"


@pytest.mark.parametrize("path", ["/secret/", "//secret", "/%2Fsecret", "/notes%2F7%2Fraw"])
async def test_no_other_spelling_of_a_path_leads_around_the_chain(path: str) -> None:
    made = served("envelope", Bearer())
    exchange = Exchange("GET", path)

    await exchange.run(made.http, path=unquote(path))

    assert exchange.status == 404


async def test_an_escaped_letter_is_that_letter() -> None:
    assert (await served("envelope", Bearer()).ask("GET", "/%73ecret")).status_code == 401


async def whose(call: CurrentCall) -> str:
    return call.language


def who_asks(kind: str) -> Any:
    """An endpoint that says its caller's language."""

    async def coroutine(call: CurrentCall) -> list[str]:
        return [call.language]

    def thread(call: CurrentCall) -> list[str]:
        return [call.language]

    async def stream(call: CurrentCall) -> AsyncIterable[str]:
        yield call.language

    async def dependency(language: Annotated[str, Depends(whose)]) -> list[str]:
        return [language]

    async def both(language: Annotated[str, Depends(whose)], call: CurrentCall) -> list[str]:
        assert language == call.language
        return [language]

    found = {each.__name__: each for each in (coroutine, thread, stream, dependency, both)}
    return found[kind]


@pytest.mark.parametrize("kind", ["coroutine", "thread", "stream", "dependency", "both"])
async def test_an_endpoint_of_any_kind_is_given_its_call(kind: str) -> None:
    made, app = lab("problem"), application("t")
    app.get("/asks")(declares(public("Ask"))(who_asks(kind)))
    adopt(made.http, app)

    for language in ("en", "zh"):
        answer = await made.ask("GET", "/asks", headers={"accept-language": language})
        assert language in answer.text


async def test_the_call_of_an_endpoint_is_none_of_its_inputs() -> None:
    app = application("t")
    app.get("/asks")(declares(public("Ask"))(who_asks("both")))

    assert "parameters" not in app.openapi()["paths"]["/asks"]["get"]


async def test_an_endpoint_outside_the_chain_has_no_call() -> None:
    with pytest.raises(LookupError, match="outside the chain"):
        await current()


async def test_methods_of_both_kinds_of_route_are_told_together() -> None:
    made = lab()
    app = application("t")

    @app.get("/v1/login")
    @declares(public("Peek"))
    async def peek() -> str:
        return "x"

    adopt(made.http, app)

    assert (await made.ask("GET", "/v1/login")).json()["data"] == "x"
    assert (await made.ask("PUT", "/v1/login")).headers["allow"] == "GET, OPTIONS, POST"


async def test_routes_of_an_included_router_are_adopted_under_its_prefix() -> None:
    made = lab()
    app = application("t")
    router = APIRouter(prefix="/deep")

    @router.get("/{id}")
    @declares(public("Deep"))
    async def deep(id: int) -> int:  # noqa: A002
        return id

    app.include_router(router, prefix="/very")
    adopt(made.http, app)

    assert (await made.ask("GET", "/very/deep/7")).json()["data"] == 7
    assert made.http.operations[-1].rules[0].template.text == "/very/deep/{id}"


async def test_what_nobody_has_is_refused_in_the_profile_once() -> None:
    bearer = Bearer()
    made = served("envelope", bearer)

    answer = await made.ask("GET", "/no/such/page")

    assert answer.status_code == 404
    assert answer.json()["code"] == 4030
    assert bearer.ended == [("unmatched", "ROUTE_NOT_FOUND")]
    assert (await made.ask("GET", "/secret/")).status_code == 404


def test_an_operation_says_what_its_route_says() -> None:
    made = served()

    upload = next(each for each in made.http.operations if each.name == "t.S/Upload")

    assert [(rule.method, rule.template.text, rule.body) for rule in upload.rules] == [
        ("PUT", "/files/{name}", "*")
    ]
    assert (upload.summary, upload.description) == ("Store a file", "Whatever it is.")
    assert (upload.resource, upload.action) == ("/files/{name}", "PUT")
    download = next(each for each in made.http.operations if each.name == "t.S/Download")
    assert download.rules[0].template.text == "/files/{name=**}"


def test_a_route_without_an_operation_stops_the_start() -> None:
    app = application("t")

    @app.get("/open")
    async def forgotten() -> str:
        return "x"

    with pytest.raises(ValueError, match="GET /open: the route declares no operation"):
        adopt(lab().http, app)


def test_a_route_with_an_unknown_reason_stops_the_start() -> None:
    app = application("t")

    @app.get("/open")
    @declares(public("Open", reasons=("NOPE",)))
    async def misspelt() -> str:
        return "x"

    with pytest.raises(ValueError, match="NOPE"):
        adopt(lab().http, app)


def test_a_route_that_a_proto_has_stops_the_start() -> None:
    app = application("t")

    @app.post("/v1/login")
    @declares(public("Login"))
    async def login() -> str:
        return "x"

    with pytest.raises(ValueError, match="takes the same paths"):
        adopt(lab().http, app)
