"""maildev, of npm: takes every mail that it is sent, and shows it on a page and as JSON."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, ClassVar

from scripts.servers import install
from scripts.servers.server import Server, answers
from scripts.servers.versions import MAILDEV

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Mailbox(Server):
    """A mailbox that forwards nothing; GET /email lists its mails. It forgets them at its end."""

    name: ClassVar[str] = "mailbox"
    roles: ClassVar[tuple[str, ...]] = ("smtp", "web")
    programs: ClassVar[Mapping[str, str]] = {"node": "nodejs", "npm": "npm"}

    @classmethod
    def install(cls) -> Path:
        return install.npm("maildev", MAILDEV)

    def command(self) -> list[str]:
        return [
            "node", str(self.install() / "node_modules/maildev/bin/maildev"),
            "--ip", "127.0.0.1", "--smtp", str(self.ports["smtp"]),
            "--web-ip", "127.0.0.1", "--web", str(self.ports["web"]),
            "--mail-directory", str(self.data),
        ]  # fmt: skip

    def prepare(self) -> None:
        self.data.mkdir()

    def healthy(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.ports["smtp"]), timeout=1) as connection:
            greeted = connection.recv(3) == b"220"
        return greeted and answers(self.ports["web"], "/healthz")

    def environment(self) -> dict[str, str]:
        return {
            "TEST_SMTP_URL": f"smtp://127.0.0.1:{self.ports['smtp']}",
            "TEST_MAILBOX_URL": f"http://127.0.0.1:{self.ports['web']}",
        }
