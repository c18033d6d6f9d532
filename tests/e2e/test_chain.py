"""What stands before every operation, as the service's callers and its operators see it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from pkg.bus import StreamSettings
from pkg.bus.valkey import ValkeyBus
from pkg.redis import RedisSettings, open_redis
from pkg.tokens import SystemTokens
from tests.contract.buses import SOON, Member
from tests.e2e.service import ADMIN, Service, eventually
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.rpc.registry import Registry

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process."""
    with Service(tmp_path_factory.mktemp("chain")) as running:
        yield running


@pytest.fixture(scope="module")
def web(service: Service) -> Iterator[Web]:
    with Web(service) as client:
        yield client


@pytest.fixture(scope="module")
def admin(service: Service, web: Web) -> dict[str, str]:
    return web.sign_in(ADMIN, service.password)


def role() -> dict[str, str]:
    return {"roleID": f"r{uuid.uuid4().hex[:8]}", "roleName": "Reviewer", "parentID": "user"}


def test_a_request_that_is_sent_twice_with_a_key_is_served_once(
    web: Web, admin: dict[str, str]
) -> None:
    headers = admin | {"idempotency-key": uuid.uuid4().hex}
    body = role()

    first = web.client.post("/v1/add/role", json=body, headers=headers)
    again = web.client.post("/v1/add/role", json=body, headers=headers)
    other = web.client.post("/v1/add/role", json=role(), headers=headers)
    without = web.client.post("/v1/add/role", json=body, headers=admin)

    assert first.status_code == again.status_code == 200
    assert again.json()["data"] == first.json()["data"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, 4038)
    assert without.status_code != 200, "the role is there already"


def test_callers_are_told_how_a_limit_stands(web: Web) -> None:
    told = [web.client.get("/v1/captcha").headers for _ in range(2)]

    assert [each["ratelimit-limit"] for each in told] == ["300", "300"]
    assert all(0 < int(each["ratelimit-remaining"]) < 300 for each in told)
    assert "ratelimit-limit" not in web.client.get("/v1/get/dictList").headers


def test_a_limit_can_be_configured_and_is_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    conf = tmp_path_factory.mktemp("conf") / "dev.yaml"
    limit = {"scope": "address", "calls": 2, "per": "1h"}
    operations = {"user.http.v1.AuthService/GetCaptcha": {"rateLimit": [limit]}}
    conf.write_text(json.dumps({"server": {"operations": operations}}), encoding="utf-8")
    directory = tmp_path_factory.mktemp("limited")
    with Service(directory, args=("--conf", str(conf))) as limited, Web(limited) as web:
        answers = [web.client.get("/v1/captcha") for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == 4014
    assert int(answers[2].headers["retry-after"]) > 1000


async def test_calls_are_recorded_on_the_bus_without_secrets(
    service: Service, web: Web, admin: dict[str, str], registry: Registry
) -> None:
    name = web.register()
    member = web.sign_in(name)
    denied = web.client.post("/v1/add/role", json=role(), headers=member)
    assert denied.status_code == 403
    web.client.get("/v1/get/userInfo", headers=admin)

    records = await _records(service, registry, until="user.http.v1.ProfileService/GetUserInfo")
    found = {each["operation"].rpartition("/")[2]: each for each in records}
    assert found["GetUserInfo"]["role"] == "admin"
    assert found["GetUserInfo"]["reason"] == "OK"
    assert ADMIN in json.loads(found["GetUserInfo"]["reply"]).values()
    assert found["AddRole"]["reason"] == "PERMISSION_DENIED"
    assert found["AddRole"]["request"] == "", "nobody has parsed it"
    login = json.loads(found["Login"]["request"])
    assert login["username"] == name
    assert login["password"] == "***"
    assert "GetCaptcha" not in found


def test_how_much_is_recorded_and_shed_can_be_scraped(service: Service, web: Web) -> None:
    def written() -> bool:
        return "\naudit_written_total " in web.client.get(f"{service.admin}/metrics").text

    eventually(written, "records are counted")
    metrics = web.client.get(f"{service.admin}/metrics").text
    assert 'shedding_limit{transport="main"}' in metrics
    assert 'ratelimit_decisions_total{limiter="calls",result="allowed"}' in metrics


async def _records(service: Service, registry: Registry, until: str) -> list[dict[str, Any]]:
    """Everything on the topic, up to the last record of an operation."""
    client = open_redis(RedisSettings(), service.redis_url)
    record = registry.schema.message("layout.v1.OperationRecord")
    member = Member(
        ValkeyBus(client, StreamSettings(), tokens=SystemTokens()).source("operationRecord", "e2e")
    )
    found: list[dict[str, Any]] = []
    try:
        await member.source.open(member)
        for _ in range(400):
            for received in await member.source.poll(SOON, 100):
                parsed = record.FromString(received.message.value)
                found.append({field.name: value for field, value in parsed.ListFields()})
            if any(each["operation"] == until for each in found):
                break
    finally:
        await member.source.close()
        await client.aclose()
    defaults = {"request": "", "reply": ""}
    return sorted(
        (defaults | each for each in found), key=lambda each: each["time"].ToNanoseconds()
    )
