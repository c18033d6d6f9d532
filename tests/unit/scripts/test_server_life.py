"""A server is started, broken, started again and ended."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import pytest

from scripts.servers.ports import free_port
from scripts.servers.server import ServerError, answers, get
from tests.unit.scripts.fake_servers import Broken, Family, Mute, Web, prepared


def test_a_started_server_answers_at_the_address_it_tells(tmp_path: Path) -> None:
    with Web(tmp_path) as server:
        assert server.environment() == {"TEST_WEB_URL": f"http://127.0.0.1:{server.port}"}
        assert answers(server.port, "/")
        assert server.pid

    assert not server.pid


def test_a_killed_server_comes_back_on_its_port_and_data(tmp_path: Path) -> None:
    with Web(tmp_path) as server:
        port, pid = server.port, server.pid
        (server.data / "row").write_text("kept")
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            get(port, "/")

        server.start()

        assert (server.port, (server.data / "row").read_text()) == (port, "kept")
        assert server.pid != pid
        assert prepared(server) == 1


def test_a_frozen_server_keeps_its_port_and_goes_on_when_thawed(tmp_path: Path) -> None:
    with Web(tmp_path) as server:
        server.freeze()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.2)
        connection.connect()
        connection.request("GET", "/")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()

        server.thaw()

        assert answers(server.port, "/")


def test_start_leaves_a_running_server_alone(tmp_path: Path) -> None:
    with Web(tmp_path) as server:
        pid = server.pid
        server.start()
        assert server.pid == pid


def test_what_a_server_started_ends_with_it(tmp_path: Path) -> None:
    server = Family(tmp_path)
    for end in (server.kill, server.stop):
        server.start()
        assert server.process
        assert server.process.memory() > 2_000_000
        end()
        with pytest.raises(ConnectionRefusedError):
            get(server.port, "/")


def test_a_server_that_ends_shows_its_last_words(tmp_path: Path) -> None:
    server = Broken(tmp_path)

    with pytest.raises(ServerError, match=r"(?s)broken ended.*the disk is full"):
        server.start()

    assert not server.pid


def test_a_server_that_does_not_answer_in_time_is_ended(tmp_path: Path) -> None:
    server = Mute(tmp_path)

    with pytest.raises(ServerError, match=r"did not answer within 0\.3 s"):
        server.start()

    assert not server.pid


def test_data_of_a_first_start_that_failed_is_made_anew(tmp_path: Path) -> None:
    with pytest.raises(ServerError):
        Mute(tmp_path).start()

    with Web(tmp_path) as server:
        assert prepared(server) == 2


def test_a_program_that_is_not_installed_is_named(tmp_path: Path) -> None:
    class Absent(Web):
        def command(self) -> list[str]:
            return ["no-such-server"]

    with pytest.raises(ServerError, match="no-such-server"):
        Absent(tmp_path).start()


def test_a_free_port_is_below_those_of_connections_that_go_out() -> None:
    asked: list[tuple[int, int]] = []

    def choose(first: int, last: int) -> int:
        asked.append((first, last))
        return last - len(asked)

    port = free_port(choose)

    first, last = asked[0]
    assert 1024 < first <= port <= last
    given_out = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if given_out.exists():
        assert last < int(given_out.read_text().split()[0])


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        taken = other.getsockname()[1]
        chosen = iter(range(taken, taken - 100, -1))

        assert free_port(lambda _first, _last: next(chosen)) < taken


def test_a_port_that_is_promised_to_another_is_passed_over() -> None:
    promised = free_port()
    chosen = iter(range(promised, promised - 100, -1))

    assert free_port(lambda _first, _last: next(chosen), others={promised}) < promised


def test_where_every_such_port_is_taken_the_kernel_gives_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]

        assert free_port(lambda _first, _last: taken) != taken


def test_given_ports_are_kept_and_others_are_free(tmp_path: Path) -> None:
    port = free_port()

    assert Web(tmp_path, {"main": port}).port == port
    assert Web(tmp_path, {"main": 0}).port > 0
    assert Web(tmp_path, {"main": port}, others={port}).port == port
    with pytest.raises(ValueError, match="web has no port smtp"):
        Web(tmp_path, {"smtp": 25})
