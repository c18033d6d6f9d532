"""A private Redis lives through what failure tests do, and `scripts/stack run` leaves nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.servers import main
from scripts.servers.ports import free
from scripts.servers.redis import Redis
from scripts.servers.server import Server, search_path
from scripts.servers.state import State

pytestmark = pytest.mark.integration

RUN = "import sys; from scripts.servers.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(autouse=True)
def installed() -> None:
    if shutil.which("redis-server", path=search_path()):
        return
    if os.environ.get("TEST_REQUIRE_SERVERS") == "1":
        pytest.fail("redis-server is not installed, and TEST_REQUIRE_SERVERS=1")
    pytest.skip("redis-server is not installed")


def cli(server: Server, *command: str) -> str:
    done = subprocess.run(
        ["redis-cli", "-p", str(server.port), *command],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.stdout.strip()


def test_what_was_written_outlives_a_kill_and_a_freeze(tmp_path: Path) -> None:
    with Redis(tmp_path) as redis:
        assert cli(redis, "set", "a", "1") == "OK"
        redis.kill()
        assert cli(redis, "get", "a") == ""
        redis.start()
        assert cli(redis, "get", "a") == "1"

        redis.freeze()
        with pytest.raises(TimeoutError):
            redis.healthy()
        redis.thaw()
        assert cli(redis, "get", "a") == "1"

    assert free(redis.port)


def stack(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        cwd=Path(main.__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_run_gives_the_command_its_servers_and_its_exit_status() -> None:
    python = "import os; print(os.environ['TEST_REDIS_URL']); raise SystemExit(7)"
    with stack("run", "--only", "redis", "--", sys.executable, "-c", python) as running:
        said, _ = running.communicate(timeout=60)

    assert running.returncode == 7
    assert free(int(said.split(":")[2].split("/")[0]))


def test_up_leaves_alone_what_runs_and_down_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYOUT_STACK", str(tmp_path))

    def ask(*arguments: str) -> tuple[int, str]:
        with stack(*arguments) as running:
            said, _ = running.communicate(timeout=60)
        return running.returncode, said

    try:
        assert ask("up", "redis")[0] == 0
        first = State(tmp_path).load()["redis"]
        assert (
            tmp_path / "env"
        ).read_text() == f"TEST_REDIS_URL={first.environment()['TEST_REDIS_URL']}\n"
        assert ask("up", "redis")[0] == 0
        assert State(tmp_path).load()["redis"].pid == first.pid
        code, said = ask("status")
        assert code == 0
        assert f"{first.pid}  answers" in said
        assert "Ready to accept connections" in ask("logs", "redis")[1]
    finally:
        assert ask("down")[0] == 0

    assert not first.pid
    assert (tmp_path / "env").read_text() == ""
    assert ask("status")[0] == 1
    assert ask("down", "--forget")[0] == 0
    assert not (tmp_path / "redis").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["up", "oracle"], "no server or group 'oracle'"),
        (["up", "redis", "--port", "kafka=9092"], "--port for kafka, not started"),
        (["run", "--only", "redis"], "run needs a command"),
        (["run", "--only", "redis", "--", "/no/such/command"], "/no/such/command"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], said: str) -> None:
    with stack(*arguments) as running:
        _, told = running.communicate(timeout=60)

    assert running.returncode == 1
    assert said in told
    assert "Traceback" not in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_run_ends_its_command_and_its_servers_when_told_to_end(number: signal.Signals) -> None:
    python = "import os, time; print(os.environ['TEST_REDIS_URL'], flush=True); time.sleep(60)"
    with stack("run", "--only", "redis", "--", sys.executable, "-c", python) as running:
        assert running.stdout
        port = int(running.stdout.readline().split(":")[2].split("/")[0])
        running.send_signal(number)
        running.communicate(timeout=60)

    assert running.returncode == 128 + number
    assert free(port)
