"""Several workers behind one port: they answer as one, and what happens to one is mended."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.e2e.service import ADMIN, START_SECONDS, Service, eventually
from tests.e2e.web import Web
from tests.e2e.writers import WRITERS, Writers, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

_KILLS: Final = 10
"""At most so many, until one met a call in flight: a worker may have none at that moment."""
_COUNT: Final = re.compile(
    r'rpc_calls_total{operation="user.http.v1.AuthService/GetCaptcha",.*worker="(\d)"} (\S+)'
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A supervisor and two workers, which all end well."""
    with Service(tmp_path_factory.mktemp("workers"), {"server.workers": "2"}) as running:
        yield running
        assert running.stop() == 0, running.output()
        assert running.log.count('"msg":"stopped"') == 3


def asked(service: Service, path: str) -> httpx.Response:
    return httpx.get(f"{service.admin}{path}", trust_env=False, timeout=30)


def captcha(service: Service) -> int:
    """By a new connection, which the kernel gives to either worker."""
    url = f"{service.http}/v1/captcha"
    return httpx.get(url, trust_env=False, timeout=30).status_code


def counted(service: Service) -> dict[str, float]:
    """Worker -> captchas."""
    return {
        worker: float(count) for worker, count in _COUNT.findall(asked(service, "/metrics").text)
    }


def pids(service: Service) -> dict[str, int]:
    """Worker -> process, of those that run now."""
    found = {}
    for pid in service.left_over():
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"--worker" in arguments:
            found[Path(arguments[arguments.index(b"--worker") + 1].decode()).name] = pid
    return found


def back(service: Service, name: str, killed: int) -> None:
    """Wait for another process in the place of the one that was killed."""

    def is_back() -> bool:
        ready = asked(service, "/livez").json()["workers"] == ["0", "1"]
        return ready and pids(service).get(name, killed) != killed

    eventually(is_back, "it serves again", START_SECONDS)


def test_sessions_policies_and_the_first_administrator_are_of_all_workers(
    service: Service,
) -> None:
    with Web(service) as web:
        name = web.register()
        web.sign_in(name)
        web.sign_in(ADMIN, service.password)


def test_the_admin_port_answers_for_all_workers(service: Service) -> None:
    eventually(lambda: asked(service, "/readyz").json()["ready"], "both are ready")
    report = asked(service, "/readyz").json()
    assert {"valkey", "workers-ready"} <= set(report["components"])
    eventually(lambda: asked(service, "/livez").json()["workers"] == ["0", "1"], "both live")
    assert asked(service, "/config").json()["server"]["workers"] == 2
    assert "threads:" in asked(service, "/debug/pprof/threads?worker=1").text
    assert asked(service, "/debug/pprof/threads?worker=2").status_code == 404


def test_what_the_workers_count_adds_up(service: Service) -> None:
    before = sum(counted(service).values())
    assert {captcha(service) for _ in range(40)} == {200}
    eventually(lambda: sum(counted(service).values()) == before + 40, "none is counted twice")
    eventually(lambda: set(counted(service)) == {"0", "1"}, "the kernel spreads connections")


def test_lines_of_the_log_name_their_worker(service: Service) -> None:
    def workers(operation: str) -> set[str | None]:
        lines = [json.loads(line) for line in service.log.splitlines() if line.startswith("{")]
        return {each.get("worker") for each in lines if each.get("operation", "") == operation}

    captcha(service)
    eventually(lambda: workers("user.http.v1.AuthService/GetCaptcha") != set(), "it is written")
    assert workers("user.http.v1.AuthService/GetCaptcha") <= {"0", "1"}
    assert None in workers(""), "the supervisor is none"


def test_grpc_is_served_on_the_shared_port(service: Service) -> None:
    with grpc.insecure_channel(service.grpc) as channel:
        state = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert state.status == health_pb2.HealthCheckResponse.SERVING


def test_one_that_is_killed_is_not_missed_and_comes_back(service: Service) -> None:
    killed = pids(service)["1"]
    os.kill(killed, signal.SIGKILL)
    exits = 'worker_exits_total{name="1",worker="supervisor"} 1.0'
    eventually(lambda: exits in asked(service, "/metrics").text, "it is missed")
    assert {captcha(service) for _ in range(20)} == {200}
    eventually(lambda: asked(service, "/readyz").status_code == 200, "one is enough")
    back(service, "1", killed)


async def test_what_was_acknowledged_outlives_workers_killed_with_calls_in_flight(
    service: Service,
) -> None:
    with Web(service) as web:
        writers = Writers(web.admin)
    for killings, name in zip(range(_KILLS), cycle(("0", "1")), strict=False):
        if killings >= 2 and writers.cut:
            break  # each was killed, and one of them with a call in flight
        async with writers.writing(service):
            await writers.until(WRITERS, 200)
            killed = pids(service)[name]
            os.kill(killed, signal.SIGKILL)
        # New connections go to the other one, until this one is back.
        async with writers.writing(service):
            await writers.until(WRITERS, 200)
        await asyncio.to_thread(back, service, name, killed)

    found = await stored(service)
    assert writers.acknowledged <= found.written
    assert found.halves == 0
    assert set(writers.answers) == {200}
    assert writers.cut >= 1


def test_when_the_supervisor_is_killed_its_workers_end(tmp_path: Path) -> None:
    service = Service(tmp_path, {"server.workers": "2"}).start()
    assert len(pids(service)) == 2
    service.kill()


def test_a_taken_port_is_refused_before_any_worker_starts(service: Service, tmp_path: Path) -> None:
    port = service.http.rpartition(":")[2]
    other = Service(tmp_path / "other", {"server.workers": "2", "server.http.port": port}).launch()
    assert other.wait(START_SECONDS) == 1, other.output()
    assert f"ports: did not start: cannot listen on 127.0.0.1:{port}" in other.said
    assert "serves" not in other.log
