"""Redis, of Debian's package redis-server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, ClassVar

from scripts.servers.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping


class Redis(Server):
    """A Redis that writes every change to its append-only file within a second."""

    name: ClassVar[str] = "redis"
    programs: ClassVar[Mapping[str, str]] = {"redis-server": "redis-server"}

    def prepare(self) -> None:
        self.data.mkdir()

    def command(self) -> list[str]:
        return [
            "redis-server", "--bind", "127.0.0.1", "--port", str(self.port),
            "--dir", str(self.data), "--save", "", "--appendonly", "yes",
        ]  # fmt: skip

    def healthy(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")

    def environment(self) -> dict[str, str]:
        return {"TEST_REDIS_URL": f"redis://127.0.0.1:{self.port}/0"}
