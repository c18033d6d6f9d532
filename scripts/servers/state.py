"""What `scripts/stack up` remembers of its servers, in a folder of this checkout that git ignores.

stack.json    per server its ports, its pid and the time at which that process started
env           the addresses of those that run, VARIABLE=value, one a line
NAME/         each server's data and log
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from typing import TYPE_CHECKING

from scripts.servers.catalog import SERVERS
from scripts.servers.fleet import environment
from scripts.servers.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from scripts.servers.server import Server


class State:
    """The folder, and what is written there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "stack.json"
        self.environment_file = directory / "env"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone: one command changes the servers of a checkout at a time, the next one waits."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def load(self) -> dict[str, Server]:
        """The servers that were started from here; those that still run, are running.

        A process that has a server's pid but started at another time is not that server.
        """
        try:
            known = json.loads(self.file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        servers = {}
        for name, entry in known.items():
            if name in SERVERS:
                server = SERVERS[name](self.directory / name, entry["ports"])
                server.process = Process(entry["pid"], entry["start_time"])
                servers[name] = server
        return servers

    def save(self, servers: Mapping[str, Server]) -> None:
        """Remember them, and write the addresses of those that run."""
        known = {
            name: {
                "ports": server.ports,
                "pid": server.process.pid,
                "start_time": server.process.start_time,
            }
            for name, server in servers.items()
            if server.process
        }
        _write(self.file, json.dumps(known, indent=2) + "\n")
        _write(self.environment_file, environment_lines(environment(servers.values())))


def environment_lines(variables: Mapping[str, str]) -> str:
    """VARIABLE=value, sorted, one a line."""
    return "".join(f"{name}={value}\n" for name, value in sorted(variables.items()))


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def given_ports(options: Iterable[str]) -> dict[str, dict[str, int]]:
    """Per server and role the ports of `redis=6380` and `mailbox.web=1080`.

    Raises:
        ValueError: There is no such server or role, or that is no port.
    """
    found: dict[str, dict[str, int]] = {}
    for option in options:
        name, _, number = option.partition("=")
        name, _, role = name.partition(".")
        if name not in SERVERS:
            raise ValueError(f"--port {option}: no server {name!r}")
        role = role or SERVERS[name].roles[0]
        if role not in SERVERS[name].roles:
            roles = ", ".join(SERVERS[name].roles)
            raise ValueError(f"--port {option}: {name} has the ports {roles}")
        if not number.isdigit() or not 0 < int(number) < 65536:
            raise ValueError(f"--port {option}: no port {number!r}")
        found.setdefault(name, {})[role] = int(number)
    return found
