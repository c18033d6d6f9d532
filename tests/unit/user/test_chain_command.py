"""`chain` prints what stands before each operation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from user.cli import CLI


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = CLI.main(arguments, environ={})
    return code, *capsys.readouterr()


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code, out, _ = run(capsys, "chain", "--json")
    assert code == 0
    return {each["operation"]: each for each in json.loads(out)}


def test_every_operation_is_told_of_whichever_port_serves_it(told: dict[str, Any]) -> None:
    assert told["user.http.v1.AuthService/Login"]["routes"] == ["POST /v1/login"]
    assert told["user.grpc.v1.IdentityService/GetUserInfo"]["routes"] == []
    assert told["user.http.v1.Avatar/Upload"]["options"]["auth"] == "permitted"


def test_what_is_public_passes_no_authentication(told: dict[str, Any]) -> None:
    login = told["user.http.v1.AuthService/Login"]["middlewares"]
    menus = told["user.http.v1.MenuService/ListAllMenus"]["middlewares"]
    assert {"authentication", "authorization"}.isdisjoint(login)
    assert {"authentication", "authorization"}.issubset(menus)


def test_the_configuration_shows(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "chain", "--set", "server.operations.*.timeout=1500ms")
    assert code == 0
    assert out.startswith("user.http.v1.AuthService/GetCaptcha\n  GET /v1/captcha\n")
    assert "auth public, timeout 1.5s\n" in out


@pytest.mark.parametrize("arguments", [["--check"], ["chain"]])
def test_a_key_that_means_no_operation_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, _, err = run(capsys, *arguments, "--set", "server.operations.usr*.timeout=1s")
    assert code == 2
    assert err == "user: configuration: server.operations: no operation is meant by usr*\n"
