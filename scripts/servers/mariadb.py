"""MariaDB, of Debian's package mariadb-server; it speaks MySQL's protocol."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, ClassVar

from scripts.servers.server import Server, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Guards nothing: the server listens on 127.0.0.1 for as long as its tests run.
PASSWORD = "word-of-tests"  # noqa: S105


class MariaDB(Server):
    """A MariaDB with a database `layout`, and an account of that name which may do anything."""

    name: ClassVar[str] = "mysql"
    programs: ClassVar[Mapping[str, str]] = {"mariadbd": "mariadb-server"}

    def prepare(self) -> None:
        self.run_once(
            [
                "mariadb-install-db", "--no-defaults", f"--user={getpass.getuser()}",
                f"--datadir={self.data}", "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]
        )  # fmt: skip

    def command(self) -> list[str]:
        return [
            "mariadbd", "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={self.data}",
            f"--socket={self._socket}", f"--pid-file={self.directory / 'mysql.pid'}",
            "--bind-address=127.0.0.1", f"--port={self.port}", "--skip-log-bin",
            "--skip-name-resolve", "--character-set-server=utf8mb4",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=2",  # outlives its own end, not that of the machine
        ]  # fmt: skip

    def healthy(self) -> bool:
        try:
            self.run_once([*self._tool("mariadb-admin"), "--connect-timeout=1", "ping"])
        except ServerError:
            return False
        return True

    def settle(self) -> None:
        self.run_once(
            [
                *self._tool("mariadb"),
                "--execute=CREATE DATABASE layout;"
                f" CREATE USER 'layout'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
                " GRANT ALL ON *.* TO 'layout'@'127.0.0.1';",
            ]
        )

    def environment(self) -> dict[str, str]:
        return {"TEST_MYSQL_URL": f"mysql+asyncmy://layout:{PASSWORD}@127.0.0.1:{self.port}/layout"}

    @property
    def _socket(self) -> str:
        """Beside the data, unless that is longer than the path of a socket may be."""
        path = str(self.directory / "mysql.sock")
        return path if len(path) < 100 else f"/tmp/layout-mysql-{self.port}.sock"  # noqa: S108 - see above

    def _tool(self, name: str) -> list[str]:
        return [name, "--no-defaults", "--user=root", f"--socket={self._socket}"]
