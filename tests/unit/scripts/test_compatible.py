"""Headers of version 9 reach a server of version 8, and nothing else is touched."""

from __future__ import annotations

import http.client
import sys
from typing import TYPE_CHECKING

import pytest

from scripts.servers import compatible
from scripts.servers.server import Server, answers, get
from tests.unit.scripts.fake_servers import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ECHO = """
import http.server, sys
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while (size := int(self.rfile.readline(), 16)):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(body)
    def answer(self, body):
        body = (self.headers.get("Content-Type") or "").encode() + b"|" + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""
NINE = "application/vnd.elasticsearch+json; compatible-with=9"
EIGHT = NINE.replace("9", "8").encode()


class Behind(Web):
    roles = ("http", "node")

    def command(self) -> list[str]:
        ports = [str(self.ports["http"]), str(self.ports["node"])]
        return [sys.executable, compatible.__file__, *ports, sys.executable, "-c", ECHO, ports[1]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Behind(tmp_path) as running:
        yield running


def test_only_the_head_of_each_request_on_a_connection_is_rewritten(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body = b"x" * 300_000 + b"compatible-with=9"

    for _ in range(3):
        connection.request("POST", "/_bulk", body, {"Content-Type": NINE})
        assert connection.getresponse().read() == EIGHT + b"|" + body
        connection.request("GET", "/", headers={"Content-Type": NINE})
        assert connection.getresponse().read() == EIGHT + b"|"
    connection.close()


def test_a_body_in_chunks_goes_through(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    for _ in range(2):
        connection.request(
            "POST", "/_bulk", iter([b"one", b"compatible-with=9"]), {"Content-Type": NINE},
            encode_chunked=True,
        )  # fmt: skip
        assert connection.getresponse().read() == EIGHT + b"|onecompatible-with=9"
    connection.close()


def test_it_ends_with_its_server_and_the_server_with_it(server: Server) -> None:
    for end in (server.stop, server.kill):
        end()
        for port in server.ports.values():
            with pytest.raises(ConnectionRefusedError):
                get(port, "/")
        server.start()
        assert answers(server.port, "/")
