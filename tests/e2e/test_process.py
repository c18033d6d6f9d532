"""The life of the process: signals, sudden death, and what is said to whom."""

from __future__ import annotations

import json
import re
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from tests.e2e.service import ADMIN, Service, eventually
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

BODY: Final = b'{"username":"ab","password":"x","captcha":"","captchaID":""}'


@contextmanager
def half_sent(service: Service) -> Iterator[socket.socket]:
    """A request that the service has begun to serve, and whose body is not all there yet."""
    host, _, port = service.http.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = (
            f"POST /v1/login HTTP/1.1\r\nhost: {host}\r\nexpect: 100-continue\r\n"
            f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
        )
        connection.sendall(head.encode())
        # The server asks for the body when the operation does: it is being served.
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(BODY[:10])
        yield connection


def phase(service: Service) -> str:
    """What the admin port says of the process."""
    report = httpx.get(f"{service.admin}/readyz", trust_env=False).json()
    return f"{report['phase']} {report['ready']}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with Service(tmp_path) as service:
        assert service.stop(number) == 0
        last = json.loads(service.log.splitlines()[-1])
        assert (last["msg"], last["failed"]) == ("stopped", [])


def test_requests_in_flight_are_finished_before_it_ends(tmp_path: Path) -> None:
    with Service(tmp_path) as service, half_sent(service) as connection:
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        eventually(lambda: '"stopping"' in service.log, "the stop begins")
        connection.sendall(BODY[10:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
        assert service.wait() == 0


def test_it_says_that_it_is_not_ready_and_serves_on_while_it_drains(tmp_path: Path) -> None:
    with Service(tmp_path, {"lifecycle.drainDelay": "6s"}) as service:
        assert phase(service) == "running True"
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        eventually(lambda: phase(service) == "draining False", "readiness goes first")
        assert httpx.get(f"{service.http}/v1/captcha", trust_env=False).status_code == 200
        assert service.wait() == 0


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with Service(tmp_path) as service, half_sent(service):
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        eventually(lambda: '"stopping"' in service.log, "the stop begins")
        service.process.send_signal(signal.SIGINT)  # SIGTERM so soon may be an echo of the first
        assert service.wait(5) == 128 + signal.SIGINT
        assert "forced to exit" in service.said
        eventually(lambda: not service.left_over(), "its Redis ends with it")


def test_after_a_sudden_death_it_starts_again_on_the_same_data(tmp_path: Path) -> None:
    service = Service(tmp_path).start()
    password = service.password
    with Web(service) as web:
        name = web.register()
        before = web.sign_in(name)
    service.kill()
    with service, Web(service) as web:
        web.sign_in(name)
        web.sign_in(ADMIN, password)
        assert web.client.get("/v1/get/userInfo", headers=before).status_code == 200


def test_two_processes_do_not_share_a_data_directory_by_accident(tmp_path: Path) -> None:
    with Service(tmp_path):
        other = Service(tmp_path).launch()
        assert other.wait() == 1, other.output()
        assert "in use by another process" in other.said


def test_the_first_password_is_printed_once(tmp_path: Path) -> None:
    with Service(tmp_path, {"log.flush": "0s"}) as service:
        password = service.password
        assert service.said.count(password) == 1
        assert password not in service.log
    with Service(tmp_path) as service:
        assert "First start" not in service.said
        with Web(service) as web:
            web.sign_in(ADMIN, password)


def test_a_given_first_password_is_not_printed(tmp_path: Path) -> None:
    with Service(
        tmp_path, {"seed.adminPassword": "orange submarine", "log.flush": "0s"}
    ) as service:
        with Web(service) as web:
            assert web.admin
        assert "orange submarine" not in service.said + service.log


def test_logs_are_lines_of_json_that_keep_secrets(tmp_path: Path) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with Service(tmp_path, {"log.level": "debug"}) as service, Web(service) as web:
        web.client.headers["traceparent"] = f"00-{trace}-00f067aa0ba902b7-01"
        reply = web.login(ADMIN, service.password).json()
        assert reply["traceID"] == trace
        password, token = service.password, reply["data"]["token"]
        refresh = reply["data"]["refreshToken"]
        service.stop()
        lines = [json.loads(line) for line in service.log.splitlines()]
    assert all({"ts", "level", "msg", "service"} <= set(line) for line in lines)
    calls = [line for line in lines if line.get("operation") == "user.http.v1.AuthService/Login"]
    assert {line["trace_id"] for line in calls} == {trace}
    for secret in (password, token, refresh):
        assert secret not in service.log


def test_the_service_token_command_needs_no_running_service(tmp_path: Path) -> None:
    printed = Service(tmp_path).run("token", "billing", "--lifetime", "1h")
    assert printed.returncode == 0, printed.stderr
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", printed.stdout)
