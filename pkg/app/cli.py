"""The command line that every service has.

`serve` is what happens when no command is named. `--check` and `--print-schema` need nothing but
the settings: no server, no database. Errors are lines on standard error; exit code 2 means that
the command line or the configuration is wrong, 1 that the work failed, 130 that a person ended it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TextIO, TypeVar

from pkg.app.errors import AppError
from pkg.config import ConfigError, Loaded, Settings, Sources, print_schema
from pkg.config.remote import RemoteError, load_with_remote

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

T = TypeVar("T", bound=Settings)

OK: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
INTERRUPTED: Final = 130
SERVE: Final = "serve"

Handler = Callable[[argparse.Namespace, Loaded[T]], int]
"""Does the work and returns the exit code. `Loaded.settings` are the settings."""


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing."""


@dataclass(frozen=True, kw_only=True)
class Command(Generic[T]):
    """One thing a service can be told to do."""

    name: str
    help: str
    handler: Handler[T]
    arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments
    """Adds the command's own arguments."""


def _nothing_more(_loaded: Loaded[Any]) -> None:
    """The settings are all there is to check."""


@dataclass(frozen=True, kw_only=True)
class Cli(Generic[T]):
    """The front of one service."""

    service: str
    version: str
    settings: type[T]
    serve: Callable[[Loaded[T]], int]
    """Builds the app and runs it; returns the exit code."""
    work: Callable[[Loaded[T], Path], int] | None = None
    """Runs as one of several workers. Only their supervisor asks for that, by `--worker
    FOLDER/NAME`: the folder that they share, and what this one is called."""
    packaged: Traversable | None = None
    """The folder with the YAML files that are packaged with the service."""
    commands: Sequence[Command[T]] = field(default=())
    """Beside `serve`."""
    verify: Callable[[Loaded[T]], None] = _nothing_more
    """What `--check` looks at beyond the settings themselves; raises ConfigError. Opens nothing."""

    def main(
        self,
        argv: Sequence[str] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> int:
        """Do what the arguments say; returns the exit code and never raises `SystemExit`.

        Without them the arguments, variables and streams of the process are used.
        """
        out, err = stdout or sys.stdout, stderr or sys.stderr
        try:
            with redirect_stdout(out), redirect_stderr(err):  # where argparse writes
                args = self._parser().parse_args(_with_command(argv))
        except SystemExit as done:  # argparse has said why
            return done.code if isinstance(done.code, int) else REFUSED
        if args.print_schema:
            out.write(print_schema(self.settings))
            return OK
        try:
            loaded = load_with_remote(
                self.settings,
                self._sources(args, environ),
                tell=lambda line: print(f"{self.service}: {line}", file=err, flush=True),
            )
            if args.check:
                self.verify(loaded)
                out.write(f"{self.service}: the configuration is good ({_told(loaded)})\n")
                return OK
            handler: Handler[T] = args.handler
            return handler(args, loaded)
        except ConfigError as error:
            for problem in error.problems:
                err.write(f"{self.service}: {problem}\n")
            return REFUSED
        except (AppError, RemoteError) as error:
            err.write(f"{self.service}: {error}\n")
            return FAILED
        except KeyboardInterrupt:  # before the app listens to signals, or in a command
            err.write(f"{self.service}: interrupted\n")
            return INTERRUPTED

    def _sources(self, args: argparse.Namespace, environ: Mapping[str, str] | None) -> Sources:
        return Sources(
            service=self.service,
            packaged=self.packaged,
            conf=args.conf,
            env=args.env,
            environ=os.environ if environ is None else environ,
            sets=[*args.remote, *args.set],
        )

    def _serve(self, args: argparse.Namespace, loaded: Loaded[T]) -> int:
        if self.work is not None and args.worker is not None:
            return self.work(loaded, args.worker)
        return self.serve(loaded)

    def _serve_arguments(self, parser: argparse.ArgumentParser) -> None:
        if self.work is not None:
            parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)

    def _parser(self) -> argparse.ArgumentParser:
        common = _common_options()
        parser = argparse.ArgumentParser(
            prog=self.service, description=f"The {self.service} service."
        )
        parser.add_argument("--version", action="version", version=self.version)
        commands = parser.add_subparsers(metavar="command")
        serve: Command[T] = Command(
            name=SERVE,
            help="run the service; this is what happens when no command is named",
            handler=self._serve,
            arguments=self._serve_arguments,
        )
        for command in (serve, *self.commands):
            own = commands.add_parser(
                command.name, help=command.help, description=command.help, parents=[common]
            )
            command.arguments(own)
            own.set_defaults(handler=command.handler)
        return parser


def _common_options() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    options = common.add_argument_group("configuration")
    options.add_argument(
        "--conf", type=Path, metavar="PATH", help="YAML file, or folder with one per environment"
    )
    options.add_argument(
        "--env", metavar="NAME", help="environment whose file is read (default: dev)"
    )
    options.add_argument(
        "--remote", type=lambda url: f"remote.url={url}", action="append", default=[],
        metavar="URL",
        help="more configuration: consul://host:8500/config/user/prod.yaml or dir:///etc/config",
    )  # fmt: skip
    options.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="override one key, such as server.http.port=8080; may be given again",
    )  # fmt: skip
    options.add_argument(
        "--check", action="store_true", help="check the configuration and do nothing else"
    )
    options.add_argument(
        "--print-schema", action="store_true", help="print the JSON schema of the configuration"
    )
    return common


def _with_command(argv: Sequence[str] | None) -> list[str]:
    """The arguments, with `serve` in front if they begin with an option of it, or are none."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given and (not given[0].startswith("-") or given[0] in ("-h", "--help", "--version")):
        return given
    return [SERVE, *given]


def _told(loaded: Loaded[Any]) -> str:
    return f"{loaded.env}, {loaded.origin or 'no file'}"
