"""The start waits for the first answer, for so long and no longer."""

from __future__ import annotations

import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.backoff import BackoffSettings
from pkg.clock import FakeClock
from pkg.config import ConfigError
from pkg.config.remote import (
    MemorySource,
    Part,
    RemoteCache,
    RemoteError,
    RemoteSettings,
    first_load,
    load_with_remote,
)
from pkg.config.remote.directory import DirectorySource
from pkg.config.sections import ServiceSettings
from tests.unit.pkg.config.shop import sources

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from pkg.config import Loaded
    from pkg.config.remote import Said

SECOND = timedelta(seconds=1)
SETTINGS = RemoteSettings(
    start_timeout=timedelta(seconds=20), backoff=BackoffSettings(first=SECOND, spread=0)
)
PART = Part("memory", "title: one\n")


class Wait:
    """Waits that pass at once; something may happen meanwhile."""

    def __init__(self, source: MemorySource, appears_at: float = 1e9) -> None:
        self.clock = FakeClock()
        self.told: list[str] = []
        self._source = source
        self._appears_at = appears_at

    async def pause(self, time: timedelta) -> None:
        self.clock.advance(time)
        if self.clock.monotonic() >= self._appears_at:
            await self._source.say(PART)

    async def load(self) -> Said:
        return await first_load(
            self._source,
            SETTINGS,
            tell=self.told.append,
            chance=lambda: 0.0,
            clock=self.clock,
            pause=self.pause,
        )


async def test_a_source_that_is_there_is_read_at_once() -> None:
    wait = Wait(MemorySource(PART))

    assert await wait.load() == (PART,)
    assert (wait.clock.monotonic(), wait.told) == (0, [])


async def test_a_source_that_comes_late_is_waited_for_and_told_of_once() -> None:
    wait = Wait(MemorySource(), appears_at=7)

    assert await wait.load() == (PART,)
    assert wait.clock.monotonic() == 7
    assert wait.told == ["memory: memory says nothing; trying again for up to 20s"]


async def test_a_source_that_stays_away_ends_the_start_in_time() -> None:
    wait = Wait(MemorySource())

    with pytest.raises(RemoteError, match="memory: not read within 20s: memory says nothing"):
        await wait.load()
    assert wait.clock.monotonic() < 20


def test_a_consul_that_is_not_there_is_named_with_host_and_path() -> None:
    remote = ("remote.url=consul://127.0.0.1:1/config/shop/prod.yaml", "remote.startTimeout=1ms")
    with pytest.raises(RemoteError) as refused:
        start(*remote, SHOP__REMOTE__TOKEN="hunter2")
    assert str(refused.value).startswith(
        "consul:config/shop/prod.yaml: not read within 1ms: "
        "Consul at http://127.0.0.1:1, /v1/kv/config/shop/prod.yaml: "
    )
    assert "hunter2" not in str(refused.value)


def start(*sets: str, told: list[str] | None = None, **environ: str) -> Loaded[ServiceSettings]:
    given = sources(None, *sets, **environ)
    return load_with_remote(ServiceSettings, given, tell=(told if told is not None else []).append)


def test_without_a_source_the_start_needs_none() -> None:
    assert start().sources.remote == ()


def test_settings_come_from_the_remote_source(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("env: prod\nadmin: {port: 1}\n")
    (tmp_path / "admin.host").write_text("0.0.0.0\n")
    loaded = start(f"remote.url=dir://{tmp_path}", "admin.port=2")

    assert (loaded.settings.env, loaded.env) == ("prod", "prod")
    assert loaded.settings.admin.host == "0.0.0.0"  # noqa: S104 - a text like any other
    assert loaded.settings.admin.port == 2


def test_what_is_remote_and_wrong_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("admin: {port: x}\n")

    with pytest.raises(ConfigError, match=f"dir:{tmp_path}/app.yaml:1: admin.port"):
        start(f"remote.url=dir://{tmp_path}", f"remote.cache={tmp_path}/kept")
    assert not (tmp_path / "kept").exists()


def test_with_a_cache_a_start_without_the_source_is_possible(tmp_path: Path) -> None:
    folder, cache = tmp_path / "conf", tmp_path / "state" / "remote.json"
    folder.mkdir()
    (folder / "app.yaml").write_text("admin: {port: 7}\n")
    sets = (f"remote.url=dir://{folder}", f"remote.cache={cache}", "remote.startTimeout=1ms")
    start(*sets)
    (folder / "app.yaml").unlink()
    told: list[str] = []

    assert start(*sets, told=told).settings.admin.port == 7
    assert told == [
        f"dir:{folder}: not read within 1ms: dir:{folder}: there is no file in it; "
        "starting with what was accepted last"
    ]
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert [each.name for each in cache.parent.iterdir()] == ["remote.json"]


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"format": 1}', '{"format": 2, "source": "s"}'])
def test_a_cache_that_makes_no_sense_is_none(tmp_path: Path, kept: str) -> None:
    (tmp_path / "kept").write_text(kept)

    assert RemoteCache(tmp_path / "kept", "s").read() is None


def test_a_cache_of_another_source_is_none(tmp_path: Path) -> None:
    RemoteCache(tmp_path / "kept", "a").write((PART,))

    assert RemoteCache(tmp_path / "kept", "b").read() is None
    assert RemoteCache(tmp_path / "kept", "a").read() == (PART,)


def test_a_cache_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "app.yaml").write_text("")
    (tmp_path / "file").write_text("")
    told: list[str] = []

    start(f"remote.url=dir://{tmp_path}/conf", f"remote.cache={tmp_path}/file/kept", told=told)

    assert len(told) == 1
    assert "cannot be kept" in told[0]


class NoHints:
    """No hint ever."""

    async def watch(self, _files: object) -> AsyncGenerator[None, None]:
        for _ in ():
            yield


async def test_a_folder_says_documents_first_and_values_without_their_last_newline(
    tmp_path: Path,
) -> None:
    (tmp_path / "b.yaml").write_text("b: 1\n")
    (tmp_path / "a.yml").write_text("a: 1\n")
    (tmp_path / "account.password").write_text("x\n\n")
    (tmp_path / "..data").mkdir()
    (tmp_path / "folder").mkdir()
    source = DirectorySource(tmp_path, changes=NoHints())

    assert [(part.text, part.key) for part in await source.load()] == [
        ("a: 1\n", ""),
        ("b: 1\n", ""),
        ("x\n", "account.password"),
    ]


@pytest.mark.parametrize("wrong", ["none", "empty", "binary", "dangling", "large", "folder"])
async def test_a_folder_that_cannot_be_read_says_why(tmp_path: Path, wrong: str) -> None:
    folder = tmp_path / "conf"
    if wrong != "none":
        folder.mkdir()
    if wrong == "binary":
        (folder / "a.yaml").write_bytes(b"\xff")
    elif wrong == "dangling":
        (folder / "a.yaml").symlink_to("nowhere")
    elif wrong == "large":
        (folder / "a.yaml").write_bytes(b" " * (2 << 20))
    elif wrong == "folder":
        (folder / "a.yaml").mkdir()

    with pytest.raises(RemoteError, match=f"dir:{folder}"):
        await DirectorySource(folder, changes=NoHints()).load()
