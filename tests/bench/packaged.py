"""The user service as it is delivered: started with its own command line and heard over HTTP.

What runs is TEST_USER_COMMAND if it is set, else the package in `dist`, where `./pants package
cmd/user:bin` puts it, else the sources by this interpreter; `origin` says which.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.error import URLError
from urllib.request import urlopen

from tests.bench import cores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGE: Final = Path("dist/cmd.user/user.pex")
SOURCES: Final = (sys.executable, "-m", "user")
_START: Final = 120.0
"""Seconds; the first start of a package unpacks it."""
_STOP: Final = 30.0
_POLL: Final = 0.005


def command() -> tuple[str, list[str]]:
    """What is run, for people, and how."""
    told = os.environ.get("TEST_USER_COMMAND", "")
    if told:
        return told, shlex.split(told)
    if PACKAGE.exists():
        return str(PACKAGE), [str(PACKAGE.absolute() / "pex")]
    return "the sources", list(SOURCES)


class Packaged:
    """One process of it; as a context manager it is ready, and is gone at the end."""

    def __init__(
        self,
        directory: Path,
        environ: Mapping[str, str] | None = None,
        *,
        run: Sequence[str] = (),
    ) -> None:
        """Everything that it writes goes below `directory`; `run` is started in its place."""
        self.origin, self._command = (" ".join(run), list(run)) if run else command()
        self._directory = directory
        self._environ = environ or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.seconds = 0.0
        """From its start to ready."""

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        admin = _free_port()
        told = {
            "USER__SERVER__HTTP__PORT": "0",
            "USER__SERVER__GRPC__PORT": "0",
            "USER__ADMIN__PORT": str(admin),
            "USER__DATA__DIR": str(self._directory / "data"),
            **self._environ,
        }
        with (self._directory / "log").open("wb") as out:
            began = time.perf_counter()
            self._process = subprocess.Popen(  # noqa: S603 - the program that is measured
                self._command,
                cwd=self._directory,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **told},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        try:
            cores.pin(cores.SERVER, self._process.pid)
            self._wait(admin, began)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """Of the process that serves."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything that it has said."""
        return (self._directory / "log").read_text(encoding="utf-8", errors="replace")

    def _wait(self, port: int, began: float) -> None:
        assert self._process is not None
        while time.perf_counter() - began < _START:
            if self._process.poll() is not None:
                break
            if _ready(port):
                self.seconds = time.perf_counter() - began
                return
            time.sleep(_POLL)
        raise RuntimeError(f"{self.origin} did not become ready\n{self.log[-3000:]}")

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port
