"""The command line: what is done, what is said where, and the exit code."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pkg.app import StartError
from pkg.app.cli import Cli, Command
from pkg.config import ConfigError, Loaded, Problem, Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


class Shop(Settings):
    """Settings of an invented service."""

    env: str = "dev"
    port: int = 1


class Desk:
    """A service whose commands note that they were called."""

    def __init__(self) -> None:
        self.served: list[Shop] = []
        self.counted: list[tuple[int, Shop]] = []
        self.failure: BaseException | None = None
        self.out = io.StringIO()
        self.err = io.StringIO()

    def serve(self, loaded: Loaded[Shop]) -> int:
        if self.failure is not None:
            raise self.failure
        self.served.append(loaded.settings)
        return 0

    def count(self, args: argparse.Namespace, loaded: Loaded[Shop]) -> int:
        self.counted.append((args.times, loaded.settings))
        return 7

    def main(self, *argv: str, environ: Mapping[str, str] | None = None) -> int:
        def arguments(parser: argparse.ArgumentParser) -> None:
            parser.add_argument("times", type=int)

        cli = Cli(
            service="shop",
            version="1.2",
            settings=Shop,
            serve=self.serve,
            commands=[Command(name="count", help="count", handler=self.count, arguments=arguments)],
        )
        return cli.main(argv, environ=environ or {}, stdout=self.out, stderr=self.err)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("argv", [(), ("serve",)])
def test_serves_when_no_command_is_named(desk: Desk, argv: tuple[str, ...]) -> None:
    assert desk.main(*argv) == 0
    assert desk.served == [Shop()]


def test_options_need_no_command(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text("port: 3\n")
    assert desk.main("--conf", str(tmp_path), "--env", "prod") == 0
    assert desk.main("serve", "--set", "port=4", "--set", "env=x") == 0
    assert desk.main(environ={"SHOP__PORT": "5"}) == 0
    assert desk.served == [Shop(env="prod", port=3), Shop(env="x", port=4), Shop(port=5)]


def test_command_of_the_service_gets_its_arguments_and_the_settings(desk: Desk) -> None:
    assert desk.main("count", "3", "--set", "port=2") == 7
    assert desk.counted == [(3, Shop(port=2))]
    assert desk.served == []


def test_check_does_nothing_else(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("port: 3\n")
    assert desk.main("--check", "--conf", str(file)) == 0
    assert desk.main("--check") == 0
    assert desk.out.getvalue().splitlines() == [
        f"shop: the configuration is good (dev, {file})",
        "shop: the configuration is good (dev, no file)",
    ]
    assert desk.served == []


def test_schema_is_printed_whatever_the_configuration_is(desk: Desk) -> None:
    assert desk.main("--print-schema", environ={"SHOP__NONSENSE": "1"}) == 0
    assert "port" in json.loads(desk.out.getvalue())["properties"]


@pytest.mark.parametrize("argv", [(), ("--check",), ("count", "1")])
def test_bad_configuration_is_code_2_and_a_line_per_problem(
    desk: Desk, argv: tuple[str, ...]
) -> None:
    assert desk.main(*argv, environ={"SHOP__PORT": "x", "SHOP__PROT": "1"}) == 2
    assert desk.err.getvalue().splitlines() == [
        'shop: environment SHOP__PROT: prot: unknown key, did you mean "port"?',
        "shop: environment SHOP__PORT: port: input should be a valid integer, unable to parse "
        "string as an integer",
    ]
    assert desk.out.getvalue() == ""
    assert (desk.served, desk.counted) == ([], [])


@pytest.mark.parametrize("argv", [("--nonsense",), ("nonsense",), ("count",), ("--conf",)])
def test_bad_usage_is_code_2(desk: Desk, argv: tuple[str, ...]) -> None:
    assert desk.main(*argv) == 2
    assert "usage: shop" in desk.err.getvalue()
    assert desk.out.getvalue() == ""


def test_help_and_version_are_code_0(desk: Desk) -> None:
    assert desk.main("--version") == 0
    assert desk.out.getvalue() == "1.2\n"
    assert desk.main("--help") == 0
    assert "count" in desk.out.getvalue()
    assert desk.main("serve", "--help") == 0
    assert "--print-schema" in desk.out.getvalue()


def test_failure_to_build_is_code_1_and_a_refusal_code_2(desk: Desk) -> None:
    desk.failure = StartError("db", "did not start: refused")
    assert desk.main() == 1
    assert desk.err.getvalue() == "shop: db: did not start: refused\n"
    desk.failure = ConfigError([Problem("", "auth.key", "a known default is refused in prod")])
    assert desk.main() == 2
    assert desk.err.getvalue().endswith("shop: auth.key: a known default is refused in prod\n")


def test_who_is_interrupted_before_the_app_runs_ends_with_a_line(desk: Desk) -> None:
    desk.failure = KeyboardInterrupt()
    assert desk.main() == 130
    assert desk.err.getvalue() == "shop: interrupted\n"


def test_process_is_used_when_nothing_is_handed_in(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["shop", "--check"])  # what the default reads
    cli = Cli(service="shop-of-nobody", version="1", settings=Shop, serve=desk.serve)
    assert cli.main() == 0
    assert "is good" in capsys.readouterr().out


def test_a_worker_is_told_where_it_belongs_and_nobody_is_told_of_the_flag(desk: Desk) -> None:
    worked: list[Path] = []

    def work(_loaded: Loaded[Shop], worker: Path) -> int:
        worked.append(worker)
        return 3

    cli = Cli(service="shop", version="1", settings=Shop, serve=desk.serve, work=work)
    told: dict[str, Any] = {"environ": {}, "stdout": desk.out, "stderr": desk.err}
    assert cli.main(["--set", "port=2", "--worker", "/tmp/shop-1/0"], **told) == 3
    assert worked == [Path("/tmp/shop-1/0")]
    assert cli.main(["serve"], **told) == 0
    assert len(desk.served) == 1
    assert cli.main(["serve", "--help"], **told) == 0
    assert "--worker" not in desk.out.getvalue()


def test_a_service_without_workers_does_not_know_the_flag(desk: Desk) -> None:
    assert desk.main("--worker", "/tmp/shop-1/0") == 2
    assert desk.served == []
