"""The admin port: whether the process is alive and ready, what it counts, how it is set."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from pkg.redis import EmbeddedValkey
from tests.e2e.service import Service, eventually
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

SECRETS: Final = ("orange submarine", "V7q2mX9rT4cLz8Wk1HsNf6YbGd3JuPe0")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process, with secrets that must not be seen."""
    settings = {
        "seed.adminPassword": SECRETS[0],
        "log.flush": "0s",  # what must not be in the log is looked for while it runs
        "auth.keys": json.dumps([{"kid": "k1", "secret": SECRETS[1]}]),
    }
    with Service(tmp_path_factory.mktemp("admin"), settings) as running:
        yield running


@pytest.fixture
def admin(service: Service) -> Iterator[httpx.Client]:
    """A client of the admin port."""
    with httpx.Client(base_url=service.admin, timeout=30, trust_env=False) as client:
        yield client


def test_it_is_alive_and_ready_with_every_component(admin: httpx.Client) -> None:
    assert admin.get("/livez").status_code == 200
    report = admin.get("/readyz")
    assert report.status_code == 200
    body = report.json()
    assert (body["ready"], body["phase"]) == (True, "running")
    assert {"database", "redis", "valkey"} <= set(body["components"])
    assert all(each["ok"] for each in body["components"].values())


def test_calls_are_counted_by_operation_and_not_by_path(
    service: Service, admin: httpx.Client
) -> None:
    with Web(service) as web:
        web.client.get("/v1/get/userInfo")
        web.client.get("/v1/made/up/by/a/caller")
    text = admin.get("/metrics").text
    assert "user.http.v1.ProfileService/GetUserInfo" in text
    assert "unmatched" in text
    assert "by/a/caller" not in text


def test_the_settings_are_shown_without_secrets(service: Service, admin: httpx.Client) -> None:
    shown = admin.get("/config")
    assert shown.status_code == 200
    config = shown.json()
    assert config["data"]["dir"] == str(service.data)
    assert config["auth"]["keys"][0]["kid"] == "k1"
    for secret in SECRETS:
        for text in (shown.text, service.log, service.said, admin.get("/metrics").text):
            assert secret not in text


def test_it_answers_nothing_of_the_business(admin: httpx.Client) -> None:
    assert admin.get("/v1/captcha").status_code == 404
    assert admin.post("/readyz").status_code == 405


def test_the_business_port_answers_nothing_of_the_admin_s(service: Service) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/config"):
        assert httpx.get(f"{service.http}{path}", trust_env=False).status_code == 404


def test_it_is_not_ready_while_redis_is_away(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "valkey")
    asyncio.run(valkey.start())
    try:
        with Service(tmp_path / "service", {"redis.url": valkey.url}) as service:
            ready = f"{service.admin}/readyz"
            assert httpx.get(ready, trust_env=False).status_code == 200
            asyncio.run(valkey.stop())
            eventually(lambda: _status(ready) == 503, "not ready")
            report = httpx.get(ready, trust_env=False).json()
            assert not report["components"]["redis"]["ok"]
            assert report["components"]["database"]["ok"]
            assert _status(f"{service.admin}/livez") == 200
            # Whether a session was ended cannot be told, so nobody is let in.
            asked = httpx.get(f"{service.http}/v1/captcha", trust_env=False)
            assert asked.status_code == 503

            asyncio.run(valkey.start())
            eventually(lambda: _status(ready) == 200, "ready again")
            asked = httpx.get(f"{service.http}/v1/captcha", trust_env=False)
            assert asked.status_code == 200
    finally:
        asyncio.run(valkey.stop())


def _status(url: str) -> int:
    return httpx.get(url, trust_env=False, timeout=30).status_code
