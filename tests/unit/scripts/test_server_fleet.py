"""Several servers are started together, and none is left when that fails or is interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.servers.fleet import environment, start_all, stop_all
from scripts.servers.server import ServerError, get
from scripts.servers.table import HEAD, health, rows, table
from tests.unit.scripts.fake_servers import Broken, Web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scripts.servers.server import Server


class Curious(Web):
    met: Mapping[str, str] = {}

    def meet(self, addresses: Mapping[str, str]) -> None:
        self.met = dict(addresses)


def test_all_are_started_and_told_of_each_other(tmp_path: Path) -> None:
    servers = {name: Curious(tmp_path / name) for name in ("a", "b")}
    said: list[str] = []
    try:
        seconds = start_all(servers, said.append)

        assert set(seconds) == {"a", "b"}
        assert sorted(line.split(" after")[0] for line in said) == ["a: answers", "b: answers"]
        assert servers["a"].met == environment(servers.values())
        assert rows(servers, seconds)[0][3] == "answers"
    finally:
        stop_all(servers.values())

    assert environment(servers.values()) == {}
    assert health(servers["a"]) == "ended"


def test_one_that_fails_leaves_the_others_running_and_says_why(tmp_path: Path) -> None:
    servers: dict[str, Server] = {"a": Web(tmp_path / "a"), "b": Broken(tmp_path / "b")}
    try:
        with pytest.raises(ServerError, match="the disk is full"):
            start_all(servers, lambda line: None)
        assert servers["a"].pid
        assert not servers["b"].pid
    finally:
        stop_all(servers.values())


def test_an_interrupted_start_leaves_none_running(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    servers: dict[str, Server] = {
        "a": Web(tmp_path / "a"),
        "b": Slow(tmp_path / "b"),
    }

    with pytest.raises(KeyboardInterrupt):
        start_all(servers, interrupt)

    for server in servers.values():
        assert not server.pid
        with pytest.raises(ConnectionRefusedError):
            get(server.port, "/")


class Slow(Web):
    """Would take a minute before it answers."""

    def healthy(self) -> bool:
        return False


def test_a_table_is_as_wide_as_its_cells() -> None:
    shown = table(HEAD[:2], [("redis", "6379"), ("mysql", "3306 and more")])

    assert shown.splitlines() == [
        "server  ports",
        "redis   6379",
        "mysql   3306 and more",
    ]
