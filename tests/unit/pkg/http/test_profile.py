"""The three shapes of an answer, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pkg.errors import Fault
from tests.unit.pkg.http.lab import LOGIN, lab

if TYPE_CHECKING:
    from pkg.http import ProfileName

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "accept-language": "en"}
USER = (
    '{"ID":7,"UID":"","userName":"alice","nickName":"","birth":"","avatar":"","roleID":"",'
    '"roleName":"","phone":"","wechat":"","email":"","state":0,"motto":"","token":"",'
    '"refreshToken":""}'
)


@pytest.mark.parametrize(
    ("profile", "body"),
    [
        ("envelope", f'{{"code":0,"msg":"OK","data":{USER},"traceID":"{TRACE}"}}'),
        ("compat", f'{{"code":0,"msg":"OK","data":{USER},"traceID":"{TRACE}"}}'),
        ("problem", USER),
    ],
)
async def test_a_success(profile: ProfileName, body: str) -> None:
    answer = await lab(profile).ask("POST", "/v1/login", json=LOGIN, headers=HEADERS)

    assert answer.status_code == 200
    assert answer.text == body
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-language"] == "en"


@pytest.mark.parametrize(
    ("profile", "status", "kind", "body"),
    [
        (
            "envelope",
            401,
            "application/json",
            f'{{"code":4003,"msg":"Login failed: wrong password","data":{{}},"traceID":"{TRACE}"}}',
        ),
        (
            "compat",
            200,
            "application/json",
            f'{{"code":4003,"msg":"Login failed: wrong password","data":{{}},"traceID":"{TRACE}"}}',
        ),
        (
            "problem",
            401,
            "application/problem+json",
            '{"type":"urn:reason:user.http.v1:LOGIN_FAILED","title":"Login failed","status":401,'
            f'"detail":"wrong password","code":4003,"traceID":"{TRACE}","errors":[]}}',
        ),
    ],
)
async def test_a_refusal(profile: ProfileName, status: int, kind: str, body: str) -> None:
    made = lab(profile)
    made.auth.error = Fault("LOGIN_FAILED", "wrong password")

    answer = await made.ask("POST", "/v1/login", json=LOGIN, headers=HEADERS)

    assert answer.status_code == status
    assert answer.headers["content-type"] == kind
    assert answer.text == body
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


VIOLATIONS = (
    '[{"field":"username","rule":"string.min_len","message":"长度不能少于 3 个字符"},'
    '{"field":"captcha","rule":"string.len","message":"长度必须为 6 个字符"}]'
)


@pytest.mark.parametrize(
    ("profile", "status", "body"),
    [
        (
            "envelope",
            400,
            f'{{"code":4002,"msg":"参数校验错误","data":{{"violations":{VIOLATIONS}}},'
            f'"traceID":"{TRACE}"}}',
        ),
        (
            "compat",
            200,
            f'{{"code":4002,"msg":"参数校验错误","data":{{"violations":{VIOLATIONS}}},'
            f'"traceID":"{TRACE}"}}',
        ),
        (
            "problem",
            400,
            '{"type":"urn:reason:layout.v1:INVALID_ARGUMENT","title":"参数校验错误","status":400,'
            f'"detail":"","code":4002,"traceID":"{TRACE}","errors":{VIOLATIONS}}}',
        ),
    ],
)
async def test_violations_are_in_the_callers_language(
    profile: ProfileName, status: int, body: str
) -> None:
    answer = await lab(profile).ask(
        "POST",
        "/v1/login",
        json=LOGIN | {"username": "al", "captcha": "1"},
        headers=HEADERS | {"accept-language": "zh-CN,en;q=0.5"},
    )

    assert answer.status_code == status
    assert answer.text == body
    assert answer.headers["content-language"] == "zh"


@pytest.mark.parametrize("profile", ["envelope", "compat", "problem"])
@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("select * from user"),
        Fault("NO_SUCH_REASON", "select * from user"),
        KeyError("select * from user"),
    ],
)
async def test_a_defect_says_nothing_of_itself(
    profile: ProfileName, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    made = lab(profile)
    made.auth.error = error

    answer = await made.ask("POST", "/v1/login", json=LOGIN)

    assert answer.status_code == (200 if profile == "compat" else 500)
    assert answer.json()["code"] == 4000
    assert "select" not in answer.text
    if not isinstance(error, Fault):
        assert "user.http.v1.AuthService/Login" in caplog.text


@pytest.mark.parametrize("profile", ["envelope", "compat", "problem"])
@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code"),
    [
        ("GET", "/v1/nothing", {}, 404, 4030),
        ("GET", "/v1/login", {}, 405, 4031),
        ("POST", "/v1/login", {"content": b"x" * 1001}, 413, 4032),
        ("POST", "/v1/login", {"data": LOGIN}, 415, 4033),
        ("POST", "/v1/login", {"content": b"{"}, 400, 4002),
    ],
)
async def test_what_http_itself_refuses_is_in_the_profile(
    profile: ProfileName, method: str, path: str, more: dict[str, object], status: int, code: int
) -> None:
    answer = await lab(profile).ask(method, path, **more)

    assert answer.status_code == (200 if profile == "compat" else status)
    body = answer.json()
    assert body["code"] == code
    assert len(body["traceID"]) == 32
    assert "x-request-id" in answer.headers
    if profile != "problem":
        assert list(body) == ["code", "msg", "data", "traceID"]


async def test_retry_after_says_when_to_try_again() -> None:
    made = lab()
    made.auth.error = Fault("LOGIN_THROTTLED", metadata={"retry_after": "30"})

    answer = await made.ask("POST", "/v1/login", json=LOGIN)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "30"


async def test_a_header_that_cannot_be_sent_breaks_no_answer() -> None:
    made = lab()
    made.auth.error = Fault("LOGIN_THROTTLED", metadata={"retry_after": "三"})

    answer = await made.ask("POST", "/v1/login", json=LOGIN)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "?"
