"""A real server as a child process: started for a test or a day's work, broken on purpose, ended.

    with Redis(tmp_path) as redis:
        client = connect(redis.environment()["TEST_REDIS_URL"])
        redis.kill()       # SIGKILL; the data stays
        redis.start()      # on the same data and the same port
        redis.freeze()     # SIGSTOP: connections stay, nothing answers
        redis.thaw()

Each listens on 127.0.0.1 only, leads a process group of its own and keeps all that it writes in one
folder. Nothing here imports a library, so that any Python from 3.9 on can run it.
"""

from __future__ import annotations

import http.client
import os
import pwd
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from scripts.servers.ports import free_port
from scripts.servers.process import Process

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

LOG_LINES = 40
"""Of a server that did not start, how many are shown."""


class ServerError(Exception):
    """A server could not be started; says why, with the end of its log."""


class Server(ABC):
    """One server. A subclass says how it is prepared, started, asked for its health and found.

    Args:
        directory: Where its data and its log are kept; made when absent. What an earlier run left
            there is used again.
        ports: By role (`roles` of the class), the ports to listen on. Absent or 0: a free one,
            which it then keeps.
        others: Ports of servers that are started with it, and may not listen yet.
    """

    name: ClassVar[str]
    programs: ClassVar[Mapping[str, str]] = {}
    """What it needs on the PATH, to run and to be installed, and Debian's package for each."""
    roles: ClassVar[tuple[str, ...]] = ("main",)
    """What it has ports for; the first is the one that people mean."""
    start_seconds: ClassVar[float] = 60
    """How long it may take to answer."""
    stop_seconds: ClassVar[float] = 20
    """How long it may take to end when asked."""
    account: ClassVar[str] = ""
    """Who runs it where we are root, for servers that refuse root."""

    def __init__(
        self,
        directory: Path | str,
        ports: Mapping[str, int] | None = None,
        *,
        others: Collection[int] = (),
    ) -> None:
        given = {role: port for role, port in (ports or {}).items() if port}
        unknown = set(ports or {}) - set(self.roles)
        if unknown:
            raise ValueError(f"{self.name} has no port {', '.join(sorted(unknown))}")
        self.directory = Path(directory).resolve()
        self.ports: dict[str, int] = {}
        for role in self.roles:
            promised = {*others, *given.values(), *self.ports.values()}
            self.ports[role] = given.get(role) or free_port(others=promised)
        self.process: Process | None = None

    # What a subclass says.

    @classmethod
    def install(cls) -> Path | None:
        """Fetch or build it when that has not been done; where it then is, unless Debian knows.

        Raises:
            InstallError: It cannot be had.
        """
        return None

    def prepare(self) -> None:  # noqa: B027 - most have nothing to do
        """Make the data folder; called when `data` does not exist yet."""

    @abstractmethod
    def command(self) -> list[str]:
        """What is started; it must stay in the foreground."""

    @abstractmethod
    def healthy(self) -> bool:
        """Whether it answers a request of its own protocol. False or OSError: not yet."""

    def settle(self) -> None:  # noqa: B027 - most have nothing to do
        """What the first start does once the server answers, such as creating a database."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The variables that lead tests and services to it."""

    def variables(self) -> dict[str, str]:
        """The environment of the server itself."""
        return dict(os.environ, PATH=search_path())

    def working_directory(self) -> Path:
        """Where the server runs."""
        return self.directory

    def meet(self, addresses: Mapping[str, str]) -> None:  # noqa: B027 - most need no other
        """Be told the variables of all servers that run beside it."""

    # What all of them do.

    @property
    def port(self) -> int:
        """The one that people mean."""
        return self.ports[self.roles[0]]

    @property
    def pid(self) -> int:
        """Of the running process; 0 when it does not run."""
        return self.process.pid if self.process and self.process.alive() else 0

    @property
    def data(self) -> Path:
        """Where it keeps what must survive a restart."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What it printed, in every run."""
        return self.directory / "server.log"

    def start(self) -> None:
        """Start it and wait until it answers; nothing when it runs.

        Raises:
            ServerError: It is not installed, ended, or did not answer in time; it is not running.
        """
        if self.pid:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        settled = self.directory / "settled"
        try:
            if not settled.exists():
                shutil.rmtree(self.data, ignore_errors=True)  # of a first start that failed
                self.prepare()
            self.process = Process.spawn(
                self.as_account(self.command()),
                log=self.log,
                directory=self.working_directory(),
                environment=self.variables(),
            )
        except (OSError, KeyError) as error:  # no such program, or no such account
            raise ServerError(f"{self.name}: {error}") from error
        try:
            self._await_health()
            if not settled.exists():
                self.settle()
                settled.touch()
        except BaseException:
            self.kill()
            raise

    def _await_health(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while True:
            try:
                if self.healthy():
                    return
            except OSError:
                pass  # it does not listen yet
            if not self.pid:
                raise ServerError(f"{self.name} ended\n{self.log_tail()}")
            if time.monotonic() >= deadline:
                raise ServerError(
                    f"{self.name} did not answer within {self.start_seconds:g} s\n{self.log_tail()}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """End it as its operators would, by force when that takes too long. The data stays."""
        if self.process:
            self.process.end(self.stop_seconds)

    def kill(self) -> None:
        """SIGKILL, to it and all that it started. The data stays as it was at that moment."""
        if self.process:
            self.process.kill()

    def freeze(self) -> None:
        """SIGSTOP: it keeps its port and its connections, and answers nothing."""
        if self.process:
            self.process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on where it was frozen."""
        if self.process:
            self.process.send(signal.SIGCONT)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def run_once(self, command: list[str]) -> str:
        """Run a command of the server's own tools to its end; gives what it printed.

        Raises:
            ServerError: It is not installed, or it failed.
        """
        try:
            done = subprocess.run(
                self.as_account(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=self.variables(),
                timeout=self.start_seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServerError(f"{self.name}: {error}") from error
        said = done.stdout.decode(errors="replace")
        if done.returncode:
            raise ServerError(f"{self.name}: {command[0]} failed\n{said}")
        return said

    def as_account(self, command: list[str]) -> list[str]:
        """The command as the account that must run it, where we are root."""
        if not self.account or os.getuid() != 0:
            return command
        return [
            "setpriv", f"--reuid={self.account}", f"--regid={pwd.getpwnam(self.account).pw_gid}",
            "--init-groups",
            # The folder may lie below one that only root may enter, as those of pytest do.
            "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
            *command,
        ]  # fmt: skip

    def give(self, path: Path) -> None:
        """Give a folder to that account."""
        if self.account and os.getuid() == 0:
            shutil.chown(path, self.account)


def get(port: int, path: str) -> bytes:
    """The body that a GET of this path is answered with.

    Raises:
        OSError: Nobody listens, or the answer is no success.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(repr(error)) from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise ConnectionError(f"{path}: {answer.status}")
    return body


def answers(port: int, path: str) -> bool:
    """Whether a GET of this path is answered with a status of success."""
    get(port, path)
    return True


def search_path() -> str:
    """PATH with the folders in which Debian keeps servers."""
    folders = [str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin")]
    usual = ["/usr/local/go/bin", "/usr/local/bin", "/usr/sbin", "/sbin"]
    return os.pathsep.join([*folders, os.environ.get("PATH", os.defpath), *usual])
