"""The same refusals in each response profile: what differs is the shape, never what is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.e2e.service import Service
from tests.e2e.web import JSON, Web

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.e2e

MAX_BODY: Final = 65536
SHORT: Final = b'{"username":"ab","password":"correct horse","captcha":"123456","captchaID":"x"}'


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """One request, and what must be said to it in every profile."""

    name: str
    method: str = "POST"
    route: str = "/v1/login"
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    user: bool = False
    """Whether a plain user asks."""
    code: int
    status: int
    zh: str
    en: str
    reason: str
    violations: dict[str, dict[str, str]] = field(default_factory=dict)
    """By language, what is said of which field."""
    answered: dict[str, str] = field(default_factory=dict)
    """Headers of the answer."""


INVALID: Final[dict[str, Any]] = {
    "code": 4002,
    "status": 400,
    "zh": "参数校验错误",
    "en": "Invalid argument",
    "reason": "INVALID_ARGUMENT",
}
REFUSALS: Final = (
    Refusal(
        name="no such route",
        method="GET",
        route="/v1/nowhere",
        code=4030,
        status=404,
        zh="接口不存在",
        en="No such route",
        reason="ROUTE_NOT_FOUND",
    ),
    Refusal(
        name="another method",
        method="DELETE",
        code=4031,
        status=405,
        zh="请求方法不允许",
        en="Method not allowed",
        reason="METHOD_NOT_ALLOWED",
        answered={"allow": "OPTIONS, POST"},
    ),
    Refusal(
        name="a large body",
        content=b" " * (MAX_BODY + 1),
        headers=JSON,
        code=4032,
        status=413,
        zh="请求体过大",
        en="Request body too large",
        reason="BODY_TOO_LARGE",
    ),
    Refusal(
        name="another content type",
        content=SHORT,
        headers={"content-type": "text/plain"},
        code=4033,
        status=415,
        zh="不支持的内容类型",
        en="Unsupported media type",
        reason="UNSUPPORTED_MEDIA_TYPE",
    ),
    Refusal(name="no JSON", content=b'{"username":', headers=JSON, **INVALID),
    Refusal(
        name="a broken rule",
        content=SHORT,
        headers=JSON,
        **INVALID,
        violations={
            "zh": {"username": "长度不能少于 3 个字符"},
            "en": {"username": "must be at least 3 characters"},
        },
    ),
    Refusal(
        name="no token",
        method="GET",
        route="/v1/get/userInfo",
        code=4004,
        status=401,
        zh="token无效",
        en="Invalid token",
        reason="UNAUTHENTICATED",
        answered={"www-authenticate": "Bearer"},
    ),
    Refusal(
        name="no permission",
        method="GET",
        route="/v1/get/allMenuList",
        user=True,
        code=4006,
        status=403,
        zh="权限不足",
        en="Permission denied",
        reason="PERMISSION_DENIED",
    ),
)


@dataclass(frozen=True, slots=True)
class Served:
    """The service in one profile."""

    profile: str
    web: Web
    user: dict[str, str]


@pytest.fixture(scope="module", params=["envelope", "compat", "problem"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One process per profile."""
    settings = {
        "server.http.responseProfile": request.param,
        "server.http.maxBody": f"{MAX_BODY}B",
    }
    with Service(tmp_path_factory.mktemp(request.param), settings) as service, Web(service) as web:
        yield Served(request.param, web, web.sign_in(web.register("alice")))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_a_refusal_says_the_same_in_every_profile(
    served: Served, refusal: Refusal, language: str
) -> None:
    response = served.web.client.request(
        refusal.method,
        refusal.route,
        content=refusal.content or None,
        headers={
            **refusal.headers,
            **(served.user if refusal.user else {}),
            "accept-language": language,
        },
    )
    text = refusal.zh if language == "zh" else refusal.en
    told = _envelope(served, response, refusal, text)
    if served.profile == "problem":
        told = _problem(response, refusal, text)
    assert response.headers["content-language"] == language
    for name, value in refusal.answered.items():
        if not (served.profile == "compat" and name == "www-authenticate"):
            assert response.headers[name] == value
    assert {each["field"]: each["message"] for each in told if each["field"]} == (
        refusal.violations.get(language, {})
    )


def test_a_body_without_a_length_is_cut_off_too(served: Served) -> None:
    chunks = (b" " * 1024 for _ in range(MAX_BODY // 1024 + 1))
    response = served.web.client.post("/v1/login", content=chunks, headers=JSON)
    assert response.status_code == (200 if served.profile == "compat" else 413)
    assert response.json()["code"] == 4032


def test_a_success_carries_the_message(served: Served) -> None:
    response = served.web.client.get("/v1/verifyToken", headers=served.user)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    if served.profile != "problem":
        assert list(body) == ["code", "msg", "data", "traceID"]
        assert (body["code"], body["msg"]) == (0, "成功")
        body = body["data"]
    assert list(body) == ["UID", "userName", "roleID", "expiresAt"]
    assert body["userName"] == "alice"


def test_a_hand_written_route_answers_in_the_profile_too(served: Served) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    kind = {"content-type": "image/png"}
    response = served.web.client.post(
        "/v1/update/avatar", content=picture, headers={**served.user, **kind}
    )
    body = response.json()
    if served.profile != "problem":
        assert list(body) == ["code", "msg", "data", "traceID"]
        body = body["data"]
    assert list(body) == ["avatar"]


def _envelope(
    served: Served, response: httpx.Response, refusal: Refusal, text: str
) -> list[dict[str, str]]:
    """Assert the envelope; the violations in it. Nothing where the profile has another shape."""
    if served.profile == "problem":
        return []
    assert response.status_code == (200 if served.profile == "compat" else refusal.status)
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert list(body) == ["code", "msg", "data", "traceID"]
    assert body["code"] == refusal.code
    assert body["msg"].partition(": ")[0] == text
    found: list[dict[str, str]] = body["data"].get("violations", [])
    assert list(body["data"]) == (["violations"] if found else [])
    return found


def _problem(response: httpx.Response, refusal: Refusal, text: str) -> list[dict[str, str]]:
    """Assert RFC 9457; the violations in it."""
    assert response.status_code == refusal.status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert list(body) == ["type", "title", "status", "detail", "code", "traceID", "errors"]
    assert body["type"].startswith("urn:reason:")
    assert body["type"].rpartition(":")[2] == refusal.reason
    assert (body["title"], body["status"], body["code"]) == (text, refusal.status, refusal.code)
    found: list[dict[str, str]] = body["errors"]
    return found
