"""A start that cannot succeed: what is wrong is named, and nothing is left running."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Final

import pytest

from scripts.servers.ports import free_port
from tests.e2e.service import Service

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

DEMO: Final = json.dumps([{"kid": "demo", "secret": "change-me-change-me-change-me-123456"}])
GOOD: Final = json.dumps([{"kid": "k1", "secret": "V7q2mX9rT4cLz8Wk1HsNf6YbGd3JuPe0"}])


def refused(directory: Path, settings: dict[str, str], *args: str) -> str:
    """Start with settings that must be refused; returns what was said."""
    service = Service(directory, settings, args=args).launch()
    assert service.wait() == 2, service.output()
    assert not service.left_over()
    assert not service.log, "nothing has been begun"
    return service.said


def test_an_unknown_key_in_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("server:\n  http:\n    prot: 8000\n", "utf-8")
    said = refused(tmp_path, {}, "--conf", str(file))
    assert "mine.yaml:3" in said
    assert "server.http.prot" in said


def test_a_bad_value_is_named_with_its_variable(tmp_path: Path) -> None:
    said = refused(tmp_path, {"server.timeout": "soon"})
    assert "USER__SERVER__TIMEOUT" in said
    assert "server.timeout" in said


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = refused(tmp_path, {"log.level": "loud"}, "--set", "captcha.attempts=0")
    assert "log.level" in said
    assert "captcha.attempts" in said


@pytest.mark.parametrize(
    ("chain", "word"),
    [
        ('["recovery", "authentcation", "authorization", "validation"]', "authentcation"),
        ('["recovery", "authentication", "authorization"]', "validation"),
        ('["recovery", "authorization", "authentication", "validation"]', "authentication"),
    ],
    ids=["unknown", "missing", "out of order"],
)
def test_a_chain_that_leaves_something_unguarded_is_refused(
    tmp_path: Path, chain: str, word: str
) -> None:
    said = refused(tmp_path, {"server.chain": chain})
    assert "server.chain" in said
    assert word in said


def test_outside_dev_nobody_makes_up_a_key(tmp_path: Path) -> None:
    assert "auth.keys" in refused(tmp_path, {}, "--env", "prod")


def test_outside_dev_a_known_secret_is_refused_and_not_shown(tmp_path: Path) -> None:
    said = refused(tmp_path, {"auth.keys": DEMO}, "--env", "prod")
    assert "demo secret" in said
    assert "change-me" not in said


def test_outside_dev_a_service_with_keys_of_its_own_starts(tmp_path: Path) -> None:
    settings = {"auth.keys": GOOD, "server.http.host": "127.0.0.1", "admin.host": "127.0.0.1"}
    with Service(tmp_path, {**settings, "lifecycle.drainDelay": "0s"}, args=("--env", "prod")):
        pass


@pytest.mark.parametrize("key", ["server.http.port", "server.grpc.port", "admin.port"])
def test_a_port_in_use_is_named(tmp_path: Path, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = Service(tmp_path, {key: str(port)}).launch()
        assert service.wait() == 1, service.output()
    assert f"127.0.0.1:{port}" in service.said
    assert not service.left_over()


def test_a_database_that_is_not_there_is_said_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://layout:hunter2hunter2@127.0.0.1:{free_port()}/layout"
    service = Service(tmp_path, {"database.url": url}).launch()
    assert service.wait() == 1, service.output()
    assert "database" in service.said
    assert "hunter2" not in service.said + service.log
    assert not service.left_over()


def test_check_starts_nothing(tmp_path: Path) -> None:
    service = Service(tmp_path)
    good = service.run("--check")
    assert good.returncode == 0
    assert "the configuration is good" in good.stdout
    bad = service.run("--check", "--set", "server.http.port=many")
    assert bad.returncode == 2
    assert "server.http.port" in bad.stderr
    assert not service.data.exists()


def test_the_schema_tells_every_key(tmp_path: Path) -> None:
    printed = Service(tmp_path).run("--print-schema")
    assert printed.returncode == 0
    schema = json.loads(printed.stdout)
    assert {"server", "admin", "database", "redis", "auth"} <= set(schema["properties"])
