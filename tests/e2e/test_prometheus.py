"""What the real Prometheus scrapes of the service, and keeps of it."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from api.user.http.v1 import GetUserInfoRequest
from api.user.http.v1.service import ProfileServiceClient
from pkg.grpc import GrpcChannel
from tests.contract.otlp import Collector, OwnCollector
from tests.contract.servers import address
from tests.e2e.people import refused
from tests.e2e.service import ADMIN, Service, eventually
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.rpc.registry import Registry

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

LOGIN: Final = "user.http.v1.AuthService/Login"
CAPTCHA: Final = "user.http.v1.AuthService/GetCaptcha"
USER_INFO: Final = "user.http.v1.ProfileService/GetUserInfo"
UNMATCHED: Final = "unmatched"
MADE_UP: Final = "made-up-by-a-caller"


class Prometheus:
    """Asks it about one target."""

    def __init__(self, client: httpx.Client, target: str) -> None:
        self._client = client
        self._target = target

    def by(self, series: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The newest value of each series of this name, by these labels."""
        found = self._ask("query", query=f'{series}{{instance="{self._target}"}}')["result"]
        return {
            tuple(each["metric"][label] for label in labels): float(each["value"][1])
            for each in found
        }

    def exemplars(self, series: str) -> list[dict[str, str]]:
        """The labels of those that came with a series in the last minutes."""
        now = time.time()
        query = f'{series}{{instance="{self._target}"}}'
        found = self._ask("query_exemplars", query=query, start=now - 300, end=now + 60)
        return [exemplar["labels"] for each in found for exemplar in each["exemplars"]]

    def every_label(self) -> set[str]:
        """The values of all labels of all series of the target."""
        now = time.time()
        match = {"match[]": f'{{instance="{self._target}"}}'}
        found = self._ask("series", **match, start=now - 300, end=now + 60)
        return {value for each in found for value in each.values()}

    def _ask(self, what: str, **parameters: str | float) -> Any:
        answer = self._client.get(f"/api/v1/{what}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@contextmanager
def scraping(service: Service) -> Iterator[Prometheus]:
    """Have the service scraped."""
    url = address("TEST_PROMETHEUS_URL")
    targets = Path(address("TEST_PROMETHEUS_DIRECTORY"), "targets")
    target = service.admin.removeprefix("http://")
    file = targets / f"{uuid.uuid4().hex}.json"
    new = file.with_suffix(".new")
    new.write_text(json.dumps([{"targets": [target]}]), "utf-8")
    new.replace(file)
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            yield Prometheus(client, target)
    finally:
        file.unlink()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Takes spans, so that calls are recorded."""
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def service(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process, whose calls are traced."""
    settings = {"trace.endpoint": OwnCollector(collector, "grpc").endpoint}
    with Service(tmp_path_factory.mktemp("scraped"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(service: Service) -> Iterator[Prometheus]:
    """Has scraped the service before it was called."""
    with scraping(service) as running:
        eventually(lambda: running.by("up", "job") == {("services",): 1}, "it is scraped")
        yield running


async def test_calls_are_told_by_operation_and_transport(
    service: Service, prometheus: Prometheus, registry: Registry
) -> None:
    trace_id = uuid.uuid4().hex
    with Web(service) as web:
        for _ in range(3):
            assert web.login(ADMIN, service.password).status_code == 200
        refusal = web.client.post(
            "/v1/login", json={}, headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
        )
        assert refusal.status_code == 400
        assert web.client.get(f"/v1/{MADE_UP}").status_code == 404
    async with GrpcChannel(service.grpc, registry) as channel:
        for _ in range(2):
            with refused("UNAUTHENTICATED"):
                await ProfileServiceClient(channel).get_user_info(GetUserInfoRequest())

    expected = {
        ("http", LOGIN, "OK"): 3,
        ("http", LOGIN, "INVALID_ARGUMENT"): 1,
        ("http", CAPTCHA, "OK"): 3,
        ("http", UNMATCHED, "ROUTE_NOT_FOUND"): 1,
        ("grpc", USER_INFO, "UNAUTHENTICATED"): 2,
    }
    eventually(
        lambda: prometheus.by("rpc_calls_total", "transport", "operation", "reason") == expected,
        f"these calls, and no others: {expected}",
    )
    login = ("http", LOGIN)
    duration = "rpc_call_duration_seconds"
    # Each by itself: a scrape that comes late makes everything stale for a while.
    eventually(
        lambda: prometheus.by(f"{duration}_count", "transport", "operation").get(login) == 4,
        "four logins were timed",
    )
    eventually(
        lambda: (
            prometheus.by(f"{duration}_bucket", "transport", "operation", "le").get(
                (*login, "+Inf")
            )
            == 4
        ),
        "all of them are in the last bucket",
    )
    eventually(
        lambda: prometheus.by(f"{duration}_sum", "transport", "operation").get(login, 0) > 0.001,
        "passwords are hashed slowly, on purpose",
    )
    eventually(
        lambda: prometheus.by("rpc_calls_in_flight", "transport") == {("http",): 0, ("grpc",): 0},
        "nothing is in flight",
    )
    eventually(
        lambda: any(
            each["trace_id"] == trace_id for each in prometheus.exemplars(f"{duration}_bucket")
        ),
        "the exemplar of a call whose trace was recorded",
    )
    labels = prometheus.every_label()
    assert LOGIN in labels
    assert not [each for each in labels if "/v1/" in each or MADE_UP in each]


def test_pools_and_loops_are_told(prometheus: Prometheus) -> None:
    def within_their_limits() -> bool:
        limits = prometheus.by("resource_limit", "resource", "loop")
        in_use = prometheus.by("resource_in_use", "resource", "loop")
        return (
            {("sql", "grpc"), ("redis", "grpc")} <= set(limits)
            and set(in_use) == set(limits)
            and all(0 <= used <= limits[resource] for resource, used in in_use.items())
        )

    eventually(within_their_limits, "pools tell their limits, and what is in use")

    def measured() -> dict[tuple[str, ...], float]:
        return prometheus.by("event_loop_lag_seconds_count", "loop")

    loops = {("main",), ("grpc",)}
    eventually(lambda: set(measured()) == loops, "both loops are measured")
    before = measured()
    eventually(
        lambda: all(measured().get(loop, 0) > before.get(loop, 0) for loop in loops),
        "the lag of both loops is measured on and on",
    )
