"""Small programs in the place of real servers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar

from scripts.servers.server import Server, answers

if TYPE_CHECKING:
    from pathlib import Path

WEB = """
import http.server, sys
print("listening on", sys.argv[1], flush=True)
handler = http.server.SimpleHTTPRequestHandler
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
"""


class Web(Server):
    """Answers GET / as soon as it runs, and counts in its data folder how often it was prepared."""

    name: ClassVar[str] = "web"

    def prepare(self) -> None:
        self.data.mkdir()
        with (self.directory / "prepared").open("a") as file:
            file.write("x")

    def command(self) -> list[str]:
        return [sys.executable, "-c", WEB, str(self.port)]

    def healthy(self) -> bool:
        return answers(self.port, "/")

    def environment(self) -> dict[str, str]:
        return {"TEST_WEB_URL": f"http://127.0.0.1:{self.port}"}


class Broken(Web):
    """Says why it cannot, and ends."""

    name: ClassVar[str] = "broken"

    def command(self) -> list[str]:
        return [sys.executable, "-c", "raise SystemExit('the disk is full')"]


class Mute(Web):
    """Runs, and never answers."""

    name: ClassVar[str] = "mute"
    start_seconds: ClassVar[float] = 0.3

    def healthy(self) -> bool:
        return False


class Family(Web):
    """A server behind a child of its own: what answers is not the process that was started."""

    name: ClassVar[str] = "family"

    def command(self) -> list[str]:
        program = [sys.executable, "-c", WEB, str(self.port)]
        parent = f"import subprocess; subprocess.run({program!r})"
        return [sys.executable, "-c", parent]


def prepared(server: Server) -> int:
    """How often it was."""
    file: Path = server.directory / "prepared"
    return len(file.read_text())
