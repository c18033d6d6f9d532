"""What `up` remembers, and what of it `down` may end."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from scripts.servers.catalog import GROUPS, SERVERS, chosen
from scripts.servers.ports import free
from scripts.servers.process import Process
from scripts.servers.state import State, environment_lines, given_ports

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.servers.server import Server


def remembered(directory: Path, process: Process) -> dict[str, Server]:
    """A Redis with this process, as another run reads it back."""
    state = State(directory)
    with state.locked():
        server = SERVERS["redis"](directory / "redis", {"main": 6400})
        server.process = process
        state.save({"redis": server})
    return state.load()


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process.spawn(
        ["sleep", "60"],
        log=tmp_path / "log",
        directory=tmp_path,
        environment={"PATH": "/bin:/usr/bin"},
    )


def test_a_server_is_read_back_with_its_ports_and_process(tmp_path: Path, process: Process) -> None:
    redis = remembered(tmp_path, process)["redis"]

    assert (redis.pid, redis.port) == (process.pid, 6400)
    assert (tmp_path / "env").read_text() == "TEST_REDIS_URL=redis://127.0.0.1:6400/0\n"
    redis.stop()
    assert not process.alive()


def test_a_process_that_only_has_the_pid_is_not_ended(tmp_path: Path, process: Process) -> None:
    redis = remembered(tmp_path, Process(process.pid, "1"))["redis"]

    redis.stop()
    redis.kill()

    assert redis.pid == 0
    assert process.alive()
    assert (tmp_path / "env").read_text() == ""
    process.kill()


def test_nothing_is_remembered_at_first_or_of_a_server_that_is_no_more(tmp_path: Path) -> None:
    assert State(tmp_path).load() == {}
    entry = {"ports": {"main": 1}, "pid": 1, "start_time": "1"}
    State(tmp_path).file.write_text(json.dumps({"gone": entry}))
    assert State(tmp_path).load() == {}


def test_a_shell_reads_the_environment_file(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(environment_lines({"TEST_B_URL": "smtp://127.0.0.1:25", "TEST_A": "/x/y"}))

    said = subprocess.run(  # noqa: S602 - a shell is what is tested
        f"set -a; . {shlex.quote(str(path))}; env",
        shell=True,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()

    assert {"TEST_A=/x/y", "TEST_B_URL=smtp://127.0.0.1:25"} <= set(said)
    assert path.read_text().startswith("TEST_A=")


def test_a_port_is_free_until_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not free(listener.getsockname()[1])


def test_ports_are_given_by_server_and_role() -> None:
    assert given_ports(["redis=6380", "mailbox.web=1080", "mailbox=1025"]) == {
        "redis": {"main": 6380},
        "mailbox": {"web": 1080, "smtp": 1025},
    }


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("nothing=1", "no server 'nothing'"),
        ("redis.web=1", "redis has the ports main"),
        ("redis=x", "no port 'x'"),
        ("redis=65536", "no port '65536'"),
        ("redis", "no port ''"),
    ],
)
def test_a_port_that_makes_no_sense_is_refused(option: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        given_ports([option])


def test_names_mean_servers_and_groups_and_no_name_means_all() -> None:
    assert chosen([]) == list(SERVERS)
    assert chosen(["postgres", "sql", "redis"]) == ["redis", "mysql", "postgres"]
    assert set().union(*GROUPS.values()) <= set(SERVERS)
    with pytest.raises(ValueError, match="no server or group 'oracle'"):
        chosen(["oracle"])


def test_no_two_servers_tell_the_same_variable(tmp_path: Path) -> None:
    variables = [
        variable
        for name, server in SERVERS.items()
        for variable in server(tmp_path / name).environment()
    ]

    assert len(variables) == len(set(variables))
    assert all(variable.startswith("TEST_") for variable in variables)
