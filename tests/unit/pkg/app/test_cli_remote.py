"""`--remote`: more configuration, from elsewhere."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from pkg.app import App, Hooks
from pkg.app.cli import Cli
from pkg.backoff import Backoff
from pkg.config.remote import Remote, open_source
from pkg.config.sections import ServiceSettings
from pkg.config.watcher import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from pkg.config import Loaded


class Stall:
    """A service that notes what it was served with."""

    def __init__(self) -> None:
        self.served: list[ServiceSettings] = []
        self.out, self.err = io.StringIO(), io.StringIO()

    def serve(self, loaded: Loaded[ServiceSettings]) -> int:
        self.served.append(loaded.settings)
        return 0

    def main(self, *argv: str, **environ: str) -> int:
        cli = Cli(service="stall", version="1", settings=ServiceSettings, serve=self.serve)
        return cli.main(argv, environ=environ, stdout=self.out, stderr=self.err)


def test_the_flag_names_a_source_and_flags_win_over_it(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("admin: {port: 1, host: 10.0.0.1}\n")
    stall = Stall()

    assert stall.main("--remote", f"dir://{tmp_path}", "--set", "admin.port=2") == 0
    assert (stall.served[0].admin.port, stall.served[0].admin.host) == (2, "10.0.0.1")
    assert stall.served[0].remote.url == f"dir://{tmp_path}"


def test_a_variable_names_a_source(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("admin: {port: 1}\n")
    stall = Stall()

    assert stall.main("--check", STALL__REMOTE__URL=f"dir://{tmp_path}") == 0
    assert stall.out.getvalue() == (
        f"stall: the configuration is good (dev, dir:{tmp_path}/app.yaml)\n"
    )


def test_a_source_that_is_not_there_is_code_1_and_says_so_while_it_waits(tmp_path: Path) -> None:
    stall = Stall()

    quick = ("--set", "remote.startTimeout=2s", "--set", "remote.backoff.first=10ms")
    code = stall.main("--remote", f"dir://{tmp_path}", *quick)

    assert code == 1
    waiting, failed = stall.err.getvalue().splitlines()
    assert waiting.startswith(f"stall: dir:{tmp_path}: ")
    assert waiting.endswith("; trying again for up to 2s")
    assert failed.startswith(f"stall: dir:{tmp_path}: not read within 2s: ")
    assert stall.served == []


def test_bad_configuration_from_elsewhere_is_code_2(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("admin: {prt: 1}\n")
    stall = Stall()

    assert stall.main("--remote", f"dir://{tmp_path}") == 2
    assert f"dir:{tmp_path}/app.yaml:1: admin.prt: unknown key" in stall.err.getvalue()


def test_a_process_starts_from_a_source_and_follows_it(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("admin: {port: 1}\n")
    ports: list[int] = []

    def serve(loaded: Loaded[ServiceSettings]) -> int:
        source = open_source(loaded.settings.remote)
        assert source is not None
        backoff = Backoff(loaded.settings.remote.backoff, lambda: 0.0)
        watcher = Watcher(loaded, remote=Remote(source=source, backoff=backoff))

        async def note(_old: ServiceSettings, new: ServiceSettings) -> None:
            ports.append(new.admin.port)
            app.stop()

        async def change() -> None:
            ports.append(watcher.settings.admin.port)
            (tmp_path / ".new").write_text("admin: {port: 2}\n")
            (tmp_path / ".new").rename(tmp_path / "app.yaml")  # never half written

        watcher.subscribe(note)
        app = App("stall", "1", [watcher], hooks=Hooks(after_start=(change,)))
        asyncio.run(asyncio.wait_for(app.run(), 20))
        return 0

    cli = Cli(service="stall", version="1", settings=ServiceSettings, serve=serve)
    set_poll = ("--set", "remote.poll=1s")
    assert cli.main(["--remote", f"dir://{tmp_path}", *set_poll], environ={}) == 0
    assert ports == [1, 2]
