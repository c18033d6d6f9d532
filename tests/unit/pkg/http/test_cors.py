"""What other origins may do, and which settings make no sense."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pkg.http.cors import CorsSettings, cors
from pkg.http.settings import HttpSettings
from tests.unit.pkg.http.lab import LOGIN, Exchange, ask, lab

FRIEND = {"allowOrigin": "https://a.example", "allowCredentials": True}
OTHER = {"allowOrigin": "http://b.example:8080", "allowMethods": ["GET"], "exposeHeaders": ["X-B"]}


def app(**settings: Any) -> Any:
    return cors(lab().http, CorsSettings.model_validate(settings))


def whitelist() -> Any:
    return app(mode="whitelist", whitelist=[FRIEND, OTHER])


def preflight(origin: str, method: str = "POST", headers: str = "content-type") -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": headers,
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "whitelist"},
        {"mode": "allow-all", "whitelist": [FRIEND]},
        {"whitelist": [FRIEND]},
        {"mode": "some"},
        {"mode": "whitelist", "whitelist": [FRIEND, FRIEND]},
        {"mode": "whitelist", "whitelist": [{"allowOrigin": "*"}]},
        {"mode": "whitelist", "whitelist": [{"allowOrigin": "*", "allowCredentials": True}]},
        {"mode": "whitelist", "whitelist": [{**FRIEND, "allowHeaders": ["*"]}]},
        {"mode": "whitelist", "whitelist": [{}]},
        {"mode": "allow-all", "maxAge": "-1s"},
        {"mode": "allow-all", "maxAge": 600},
        *(
            {"mode": "whitelist", "whitelist": [{"allowOrigin": origin}]}
            for origin in (
                "", "null", "a.example", "https://", "https://a.example/", "https://A.example",
                "https://a.example/path", "https://a.example?x", "https://*.example/",
            )
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CorsSettings.model_validate(settings)


def test_credentials_for_everybody_are_refused_in_so_many_words() -> None:
    entry = {"allowOrigin": "*", "allowCredentials": True}

    with pytest.raises(ValidationError, match="credentials cannot be allowed to any origin"):
        CorsSettings.model_validate({"mode": "whitelist", "whitelist": [entry]})


def test_off_costs_nothing() -> None:
    http = lab().http

    assert cors(http, CorsSettings()) is http
    assert HttpSettings().cors.mode == "off"


async def test_everybody_may_call_without_credentials() -> None:
    answer = await ask(app(mode="allow-all"), "GET", "/v1/captcha", headers={"origin": "null"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


async def test_each_origin_has_its_own_rules() -> None:
    friend = await ask(whitelist(), "GET", "/v1/captcha", headers={"origin": "https://a.example"})
    other = await ask(
        whitelist(), "GET", "/v1/captcha", headers={"origin": "http://b.example:8080"}
    )

    assert friend.headers["access-control-allow-origin"] == "https://a.example"
    assert friend.headers["access-control-allow-credentials"] == "true"
    assert other.headers["access-control-allow-origin"] == "http://b.example:8080"
    assert "access-control-allow-credentials" not in other.headers
    assert other.headers["access-control-expose-headers"] == "X-B"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://a.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
async def test_caches_tell_origins_apart(headers: dict[str, str]) -> None:
    answer = await ask(whitelist(), "GET", "/v1/captcha", headers=headers)

    assert "Origin" in answer.headers["vary"]


async def test_a_stranger_is_answered_without_leave() -> None:
    answer = await ask(
        whitelist(), "GET", "/v1/captcha", headers={"origin": "https://evil.example"}
    )

    assert not [name for name in answer.headers if name.startswith("access-control-allow")]


async def test_refusals_can_be_read_by_a_friend() -> None:
    answer = await ask(
        whitelist(), "POST", "/v1/login", content=b"{", headers={"origin": "https://a.example"}
    )

    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == "https://a.example"


async def test_a_preflight_is_answered_without_asking_the_app() -> None:
    answer = await ask(whitelist(), "OPTIONS", "/v1/login", headers=preflight("https://a.example"))

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-max-age"] == "600"
    assert "x-request-id" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        preflight("https://evil.example"),
        preflight("http://b.example:8080", "POST"),
        preflight("http://b.example:8080", "GET", "x-odd"),
    ],
)
async def test_a_preflight_that_asks_too_much_is_refused(headers: dict[str, str]) -> None:
    assert (await ask(whitelist(), "OPTIONS", "/v1/login", headers=headers)).status_code == 400


async def test_options_that_is_no_preflight_reaches_the_app() -> None:
    answer = await ask(whitelist(), "OPTIONS", "/v1/login", headers={"origin": "https://a.example"})

    assert answer.status_code == 204
    assert answer.headers["allow"] == "OPTIONS, POST"


async def test_a_call_from_the_same_origin_is_as_without() -> None:
    answer = await ask(whitelist(), "POST", "/v1/login", json=LOGIN)

    assert answer.status_code == 200
    assert answer.headers["vary"] == "Origin"


async def test_connections_that_are_no_requests_pass() -> None:
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    settings = CorsSettings.model_validate({"mode": "allow-all"})
    await cors(inner, settings)({"type": "lifespan"}, Exchange, Exchange)  # type: ignore[arg-type] # never called

    assert seen == ["lifespan"]
