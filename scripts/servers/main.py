"""The command line of scripts/stack.

    scripts/stack up [NAMES...] [--port redis=6380]   install and start what does not run yet
    scripts/stack status [NAMES...]
    scripts/stack logs [NAMES...] [--lines 40]
    scripts/stack down [NAMES...] [--forget]          data stays, unless forgotten
    scripts/stack install [NAMES...]
    scripts/stack packages [NAMES...]                 Debian's that `install` would install
    scripts/stack run [--only redis,mysql] -- COMMAND...

No name means all of them. `run` starts fresh servers of its own around one command, and they are
gone when it has ended. The command finds their TEST_*_URL and, with every server there is, also
TEST_REQUIRE_SERVERS=1: a test that needs a server and has no address must then fail, not skip.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.servers import fleet
from scripts.servers.catalog import SERVERS, chosen
from scripts.servers.ports import free
from scripts.servers.server import ServerError
from scripts.servers.state import State, environment_lines, given_ports
from scripts.servers.table import HEAD, health, rows, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from scripts.servers.server import Server

COMMAND_SECONDS = 20
"""How long the command of `run` may take to end when we are told to."""


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; gives the exit status."""
    options = _parser().parse_args(_with_command(arguments))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit)
    try:
        return int(options.do(options))
    except (ServerError, ValueError) as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _home() -> Path:
    """Where `up` keeps data, logs and what it remembers: $LAYOUT_STACK, else in this checkout."""
    named = os.environ.get("LAYOUT_STACK")
    return Path(named) if named else Path(__file__).resolve().parents[2] / ".data" / "stack"


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _with_command(arguments: Sequence[str]) -> list[str]:
    """Without the `--` before the command of `run`, which older parsers keep."""
    rest = list(arguments)
    if rest[:1] == ["run"] and "--" in rest:
        rest.remove("--")
    return rest


def _parser() -> argparse.ArgumentParser:
    assert __doc__ is not None  # noqa: S101 - it stands above
    parser = argparse.ArgumentParser(
        prog="scripts/stack",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, do in (
        ("up", up), ("status", status), ("logs", logs), ("down", down), ("install", install),
        ("packages", packages),
    ):  # fmt: skip
        command = commands.add_parser(name)
        command.add_argument("names", nargs="*", metavar="NAME")
        command.set_defaults(do=do)
        if name == "up":
            command.add_argument("--port", action="append", default=[], metavar="NAME=PORT")
        if name == "logs":
            command.add_argument("--lines", type=int, default=40)
        if name == "down":
            command.add_argument("--forget", action="store_true", help="delete data and logs too")
    command = commands.add_parser("run")
    command.add_argument("--only", default="", metavar="NAME,NAME")
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(do=run)
    return parser


def up(options: argparse.Namespace) -> int:
    names = chosen(options.names)
    ports = given_ports(options.port)
    if not set(ports) <= set(names):
        raise ValueError(f"--port for {', '.join(sorted(set(ports) - set(names)))}, not started")
    fleet.install_all(names)
    state = State(_home())
    failure = None
    seconds: dict[str, float] = {}
    with state.locked():
        servers = state.load()
        for name in names:
            others = fleet.ports(server for each, server in servers.items() if each != name)
            servers[name] = _placed(state, name, servers.get(name), ports.get(name, {}), others)
        wanted = {name: server for name, server in servers.items() if name in names}
        try:
            seconds = fleet.start_all(
                {name: server for name, server in wanted.items() if not server.pid}
            )
        except ServerError as error:
            failure = error  # what did start is told first
        finally:
            state.save({name: servers[name] for name in SERVERS if name in servers})
    fleet.introduce(servers.values())  # also to those that ran already
    print(table(HEAD, rows(wanted, seconds)))
    print(f"\naddresses: {state.environment_file}")
    if failure:
        raise failure
    return 0 if all(health(server) == "answers" for server in wanted.values()) else 1


def _placed(
    state: State, name: str, known: Server | None, ports: dict[str, int], others: set[int]
) -> Server:
    """The server as it runs; else on its data, on the ports asked for or those it had.

    Args:
        state: where its data is kept.
        name: of the server.
        known: as the state knows it.
        ports: that it must have, by role.
        others: that the other servers have, or will.

    Raises:
        ValueError: It runs on other ports than those asked for, or one of these is taken.
    """
    if known and known.pid:
        if not ports.items() <= known.ports.items():
            raise ValueError(f"{name} runs on {known.ports}: scripts/stack down {name}")
        return known
    for port in ports.values():
        if not free(port):
            raise ValueError(f"{name}: somebody listens on port {port} already")
    had = known.ports if known else {}
    kept = {role: port for role, port in had.items() if port not in others and free(port)}
    return SERVERS[name](state.directory / name, {**kept, **ports}, others=others)


def status(options: argparse.Namespace) -> int:
    names = chosen(options.names)
    servers = {name: server for name, server in State(_home()).load().items() if name in names}
    print(table(HEAD, rows(servers, {})))
    return 0 if servers and all(health(server) == "answers" for server in servers.values()) else 1


def logs(options: argparse.Namespace) -> int:
    for name, server in State(_home()).load().items():
        if name in chosen(options.names):
            print(f"==> {server.log} <==\n{server.log_tail(options.lines)}\n")
    return 0


def down(options: argparse.Namespace) -> int:
    names = chosen(options.names)
    state = State(_home())
    with state.locked():
        servers = state.load()
        ending = [server for name, server in servers.items() if name in names]
        try:
            fleet.stop_all(ending)
        finally:
            state.save(servers)
        if options.forget:
            for name in names:
                servers.pop(name, None)
                shutil.rmtree(state.directory / name, ignore_errors=True)
            state.save(servers)
    return 0


def install(options: argparse.Namespace) -> int:
    fleet.install_all(chosen(options.names))
    return 0


def packages(options: argparse.Namespace) -> int:
    for package in fleet.missing_packages(chosen(options.names)):
        print(package)
    return 0


def run(options: argparse.Namespace) -> int:
    if not options.command:
        raise ValueError("run needs a command: scripts/stack run -- COMMAND")
    names = chosen(options.only.split(",") if options.only else [])
    fleet.install_all(names)
    work = Path(tempfile.mkdtemp(prefix="stack."))
    servers: dict[str, Server] = {}
    for name in names:
        servers[name] = SERVERS[name](work / name, others=fleet.ports(servers.values()))
    try:
        fleet.start_all(servers)
        variables = fleet.environment(servers.values())
        if len(names) == len(SERVERS):
            variables["TEST_REQUIRE_SERVERS"] = "1"
        print(environment_lines(variables), end="", file=sys.stderr, flush=True)
        return _command(options.command, {**os.environ, **variables})
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # nothing keeps us from ending them
        fleet.stop_all(servers.values())
        shutil.rmtree(work, ignore_errors=True)


def _command(command: list[str], environment: dict[str, str]) -> int:
    """Run it to its end; when we are told to end, it is told so first."""
    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise ValueError(str(error)) from error
    try:
        status = child.wait()
    except BaseException:
        child.terminate()
        try:
            child.wait(COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
    return status if status >= 0 else 128 - status
