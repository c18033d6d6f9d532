"""What the admin port answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from pkg.admin import AdminApp, AdminServer, Answer
from pkg.app import Health, Phase
from pkg.clock import FakeClock
from pkg.config import redacted
from pkg.config.sections import AdminSettings, ServiceSettings


class Db:
    """A component that is as well as the test says."""

    name = "db"

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.note = ""

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def check(self) -> None:
        if self.error is not None:
            raise self.error


class Desk:
    """An admin application and what it answers from."""

    def __init__(self) -> None:
        self.db = Db()
        self.health = Health([self.db], clock=FakeClock())
        self.registry = CollectorRegistry()
        self.settings = ServiceSettings()
        self.app = AdminApp(
            health=self.health,
            registry=self.registry,
            config=lambda: redacted(self.settings),
            endpoints={"/profile": self.profile},
        )

    async def profile(self, scope: Any) -> Answer:
        return Answer.json({"of": scope["path"]}, HTTPStatus.ACCEPTED)

    async def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            return await client.request(method, path, headers=headers)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("phase", Phase)
async def test_lives_in_every_phase(desk: Desk, phase: Phase) -> None:
    desk.health.phase = phase
    answer = await desk.ask("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready_while_running_and_all_are_well(desk: Desk) -> None:
    desk.health.phase = Phase.RUNNING
    answer = await desk.ask("/readyz")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "ready": True,
        "phase": "running",
        "components": {"db": {"ok": True, "seconds": 0.0}},
    }


async def test_not_ready_when_a_component_is_not_well(desk: Desk) -> None:
    desk.health.phase = Phase.RUNNING
    desk.db.error = ConnectionError("refused")
    answer = await desk.ask("/readyz")
    assert answer.status_code == 503
    assert answer.json()["components"] == {"db": {"ok": False, "seconds": 0.0, "error": "refused"}}


async def test_a_note_is_told_and_makes_nobody_unready(desk: Desk) -> None:
    desk.health.phase = Phase.RUNNING
    desk.db.note = "stale since yesterday"
    answer = await desk.ask("/readyz")
    assert answer.status_code == 200
    assert answer.json()["components"]["db"]["note"] == "stale since yesterday"


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.DRAINING, Phase.STOPPED])
async def test_not_ready_in_other_phases(desk: Desk, phase: Phase) -> None:
    desk.health.phase = phase
    answer = await desk.ask("/readyz")
    assert (answer.status_code, answer.json()["phase"]) == (503, phase.value)


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
async def test_metrics_come_in_the_format_that_is_asked_for(desk: Desk, accept: str) -> None:
    Counter("sold", "Things sold.", registry=desk.registry).inc(3)
    answer = await desk.ask("/metrics", accept=accept)
    assert "sold_total 3.0" in answer.text
    assert answer.headers["content-type"].startswith(accept.split(";")[0])
    assert answer.text.endswith("# EOF\n") is ("openmetrics" in accept)


async def test_config_is_the_one_in_force(desk: Desk) -> None:
    assert (await desk.ask("/config")).json()["env"] == "dev"
    desk.settings = ServiceSettings(env="prod")
    assert (await desk.ask("/config")).json()["env"] == "prod"


async def test_further_paths_may_be_handed_in(desk: Desk) -> None:
    answer = await desk.ask("/profile")
    assert (answer.status_code, answer.json()) == (202, {"of": "/profile"})


async def test_other_paths_are_not_found(desk: Desk) -> None:
    answer = await desk.ask("/readyz/")
    assert answer.status_code == 404
    assert answer.json()["paths"] == ["/config", "/livez", "/metrics", "/profile", "/readyz"]


async def test_only_reading_is_allowed(desk: Desk) -> None:
    answer = await desk.ask("/livez", "POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_head_is_get_without_the_body(desk: Desk) -> None:
    answer = await desk.ask("/livez", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len((await desk.ask("/livez")).content))


async def test_what_is_not_http_is_not_answered(desk: Desk) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    await desk.app({"type": "lifespan"}, receive, send)
    assert sent == []


async def test_server_listens_where_the_settings_say(desk: Desk) -> None:
    server = AdminServer(desk.app, AdminSettings(port=0))
    await server.start()
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{server.address}/livez")
            assert answer.status_code == 200
    finally:
        await server.stop()
