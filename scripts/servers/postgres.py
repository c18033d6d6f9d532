"""PostgreSQL, of Debian's package postgresql."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scripts.servers.server import Server, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Postgres(Server):
    """A PostgreSQL with a database `layout`, and a superuser of that name without a password."""

    name: ClassVar[str] = "postgres"
    programs: ClassVar[Mapping[str, str]] = {"postgres": "postgresql"}
    account: ClassVar[str] = "postgres"

    def prepare(self) -> None:
        self.data.mkdir()
        self.give(self.data)
        self.run_once(
            [
                "initdb", f"--pgdata={self.data}", "--username=layout", "--auth=trust",
                "--encoding=UTF8", "--locale=C", "--no-sync",
            ]
        )  # fmt: skip

    def command(self) -> list[str]:
        return [
            "postgres", "-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port),
            "-k", "",  # no socket beside the port
            "-c", "fsync=off",  # outlives its own end, not that of the machine
            "-c", "max_connections=200",
        ]  # fmt: skip

    def healthy(self) -> bool:
        try:
            self.run_once(["pg_isready", "--host=127.0.0.1", f"--port={self.port}", "--timeout=1"])
        except ServerError:
            return False
        return True

    def settle(self) -> None:
        self.run_once(
            [
                "psql", "--quiet", "--host=127.0.0.1", f"--port={self.port}", "--username=layout",
                "--dbname=postgres", "--command=CREATE DATABASE layout",
            ]
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        return {"TEST_POSTGRES_URL": f"postgresql+asyncpg://layout@127.0.0.1:{self.port}/layout"}
