"""The user service as a real process: what every test in this folder runs against.

Guarantees: free ports of 127.0.0.1 alone, everything it writes below a directory of the test's, a
start that is over when the banner has been printed (or has failed with the output), and an end that
leaves no process behind. What runs is the first of

    TEST_USER_COMMAND      a command line
    cmd.user/user.pex      the packaged service, where Pants has put it beside the test
    python -m user         the sources, by the interpreter that runs the test
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from pkg.redis import EmbeddedValkey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

START_SECONDS: Final = 90.0
"""The first start of a package unpacks it."""
STOP_SECONDS: Final = 30.0
ADMIN: Final = "admin"

_PACKAGE: Final = Path("cmd.user/user.pex")
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "PEX_ROOT")
"""Variables that the process gets from ours; nothing else leaks into a test."""
_MARK: Final = "TEST_SERVICE_MARK"
_PASSWORD: Final = re.compile(r"log in as \S+ with the password (\S+) - it is shown this once")


def command() -> list[str]:
    """What runs the service, without its arguments."""
    told = os.environ.get("TEST_USER_COMMAND", "")
    if told:
        return shlex.split(told)
    if _PACKAGE.exists():
        return [sys.executable, str(_PACKAGE.absolute())]
    return [sys.executable, "-m", "user"]


def eventually(holds: Callable[[], bool], what: str, seconds: float = STOP_SECONDS) -> None:
    """Wait for what another process does and nobody tells us of."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        pause.wait(0.02)


class Service:
    """One process; as a context manager it is started, and must end well."""

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str] | None = None,
        *,
        args: tuple[str, ...] = (),
    ) -> None:
        """Prepare it; a second one with the same directory finds what the first one left.

        Args:
            directory: working directory; the service's data lie in `data` below it.
            settings: by key, such as `server.http.port`; handed over in the environment.
            args: of the command line.
        """
        self.directory = directory
        self.data = directory / "data"
        self.args = args
        self.settings = {
            "server.http.port": "0",
            "server.grpc.host": "127.0.0.1",
            "server.grpc.port": "0",
            "admin.port": "0",
            "data.dir": str(self.data),
            **(settings or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._mark = uuid.uuid4().hex
        self._said = ""
        self._closed = False
        self._heard = threading.Condition()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None and self.running:
                assert self.stop() == 0, self.output()
        finally:
            self._end()

    @property
    def environment(self) -> dict[str, str]:
        """Everything that the process finds in its environment."""
        own = {name: os.environ[name] for name in _KEPT if name in os.environ}
        said = {
            f"USER__{key.replace('.', '__').upper()}": value for key, value in self.settings.items()
        }
        return own | said | {"PYTHONPATH": os.pathsep.join(sys.path), _MARK: self._mark}

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def launch(self) -> Self:
        """Start the process without waiting for it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._said, self._closed = "", False
        with (self.directory / "stdout.log").open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - the program under test
                [*command(), *self.args],
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
            )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        return self

    def start(self) -> Self:
        """Start the process and wait until it is up."""
        self.launch()
        try:
            self.heard(r"\n  Config: .*\n")
        except BaseException:
            self._end()
            raise
        return self

    def heard(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """What the process says on standard error, as soon as it has said it."""
        deadline = time.monotonic() + seconds
        with self._heard:
            while not (found := re.search(pattern, self._said)):
                left = deadline - time.monotonic()
                assert left > 0, f"not said: {pattern}\n{self.output()}"
                assert not self._closed, f"ended without saying {pattern}\n{self.output()}"
                self._heard.wait(left)
        return found

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """The exit code, as soon as there is one and all has been said."""
        assert self.process is not None
        code = self.process.wait(seconds)
        with self._heard:
            self._heard.wait_for(lambda: self._closed, seconds)
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.wait()
        assert not self.left_over(), f"left running: {self.left_over()}"
        return code

    def kill(self) -> None:
        """End the process without its consent, and wait until what it had started is gone too."""
        assert self.process is not None
        self.process.kill()
        self.wait()
        eventually(lambda: not self.left_over(), "its children end with it")

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the service with the same settings, to its end."""
        return subprocess.run(  # noqa: S603 - the program under test
            [*command(), *args],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def left_over(self) -> list[int]:
        """Processes that still run of those that descend from this one; Linux only.

        They have our mark, or work in our directory: Valkey writes its title over its environment.
        """
        mark = f"{_MARK}={self._mark}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                ours = mark in (entry / "environ").read_bytes().split(b"\0")
                if ours or (entry / "cwd").readlink().is_relative_to(self.data):
                    found.append(int(entry.name))
            except OSError:  # gone, or somebody else's
                continue
        return found

    @property
    def said(self) -> str:
        """Standard error so far."""
        with self._heard:
            return self._said

    @property
    def log(self) -> str:
        """Standard output so far, of every start in this directory."""
        return (self.directory / "stdout.log").read_text(encoding="utf-8")

    def output(self) -> str:
        """Both, for a failure's message."""
        return f"{self.log[-4000:]}\n{self._said[-4000:]}"

    @property
    def http(self) -> str:
        """URL of the HTTP port."""
        return self.heard(r"\n  HTTP: (\S+)\n")[1]

    @property
    def grpc(self) -> str:
        """Target of the gRPC port."""
        return self.heard(r"\n  gRPC: (\S+)\n")[1]

    @property
    def admin(self) -> str:
        """URL of the admin port."""
        return self.heard(r"\n  Admin: (\S+)\n")[1]

    @property
    def password(self) -> str:
        """Of the first administrator: as it was configured, else as this start has printed it."""
        told = self.settings.get("seed.adminPassword")
        return told or self.heard(_PASSWORD.pattern)[1]

    @property
    def redis_url(self) -> str:
        """Where its Redis is to be reached."""
        return self.settings.get("redis.url") or EmbeddedValkey(self.data / "valkey").url

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                with self._heard:
                    self._said += line.decode(errors="replace")
                    self._heard.notify_all()
        with self._heard:
            self._closed = True
            self._heard.notify_all()

    def _end(self) -> None:
        """The last resort: nothing outlives the test."""
        if self.running:
            self.kill()
        for pid in self.left_over():
            os.kill(pid, signal.SIGKILL)
