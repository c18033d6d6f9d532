"""Settings follow their files; what is refused changes nothing."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pkg.config import load
from pkg.config.changes import SystemFileChanges
from pkg.config.watcher import Watcher
from tests.unit.pkg.config.shop import Shop, sources

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection
    from pathlib import Path


class Hints:
    """Hints that a test gives by hand. `hint` returns when the watcher has dealt with it."""

    def __init__(self) -> None:
        self.watched: list[tuple[Path, ...]] = []
        self._hints: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def watch(self, files: Collection[Path]) -> AsyncGenerator[None, None]:
        self.watched.append(tuple(files))
        try:
            while True:
                failure = await self._hints.get()
                if failure is not None:
                    raise failure
                yield
                self._hints.task_done()
        except GeneratorExit:
            self._hints.task_done()
            raise

    async def hint(self) -> None:
        self._hints.put_nowait(None)
        await self._hints.join()

    def fail(self) -> None:
        self._hints.put_nowait(OSError("too many watches"))


class Desk:
    """A watcher of one file, with what came of it."""

    def __init__(self, file: Path, **environ: str) -> None:
        self.file = file
        self.hints = Hints()
        self.registry = CollectorRegistry()
        self.watcher = Watcher(
            load(Shop, sources(file, **environ)), changes=self.hints, registry=self.registry
        )
        self.told: list[tuple[str, str]] = []

    async def note(self, old: Shop, new: Shop) -> None:
        self.told.append((old.title, new.title))

    async def save(self, text: str) -> None:
        self.file.write_text(text)
        await self.hints.hint()

    def remove(self) -> None:
        self.file.unlink()

    def count(self, result: str) -> float | None:
        return self.registry.get_sample_value("config_reloads_total", {"result": result})


@asynccontextmanager
async def running(desk: Desk) -> AsyncGenerator[Desk, None]:
    desk.watcher.subscribe(desk.note)
    await desk.watcher.start()
    yield desk
    await desk.watcher.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text("title: one\n")
    return file


async def test_change_is_taken_told_and_logged(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running(Desk(file)) as desk:
        await desk.save("title: two\n")
        assert desk.watcher.settings.title == "two"
        assert desk.told == [("one", "two")]
        assert "title: 'one' -> 'two'" in caplog.text
        assert (desk.count("accepted"), desk.count("refused")) == (1, 0)


async def test_refused_change_keeps_the_last_good_one(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(Desk(file)) as desk:
        await desk.save("title: two\n\nratio: much\n")
        assert desk.watcher.settings.title == "one"
        assert desk.told == []
        assert f"{file}:3: ratio" in caplog.text
        assert (desk.count("accepted"), desk.count("refused")) == (0, 1)
        await desk.save("title: three\n")
        assert desk.told == [("one", "three")]


async def test_file_that_is_gone_for_a_while_keeps_the_last_good_one(file: Path) -> None:
    async with running(Desk(file)) as desk:
        desk.remove()
        await desk.hints.hint()
        assert desk.watcher.settings.title == "one"
        await desk.save("title: back\n")
        assert desk.watcher.settings.title == "back"


async def test_hint_without_a_change_of_content_is_ignored(file: Path) -> None:
    async with running(Desk(file)) as desk:
        await desk.save("title: one\n")
        assert (desk.count("accepted"), desk.count("refused")) == (0, 0)


async def test_change_without_meaning_is_told_to_nobody(file: Path) -> None:
    async with running(Desk(file)) as desk:
        await desk.save("title: one # the same\n")
        assert desk.count("accepted") == 1
        assert desk.told == []


async def test_secret_file_is_followed_and_never_shown(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = tmp_path / "password"
    secret.write_text("hunter2")
    async with running(Desk(file, SHOP__ACCOUNT__PASSWORD_FILE=str(secret))) as desk:
        secret.write_text("hunter3")
        await desk.hints.hint()
        assert desk.hints.watched == [(file, secret)]
        password = desk.watcher.settings.account.password
        assert password is not None
        assert password.get_secret_value() == "hunter3"
    assert "account.password" in caplog.text
    assert "hunter" not in caplog.text


async def test_failing_subscriber_does_not_keep_others_from_being_told(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_old: Shop, _new: Shop) -> None:
        raise RuntimeError("no room")

    desk = Desk(file)
    desk.watcher.subscribe(fail)
    async with running(desk):
        await desk.save("title: two\n")
    assert desk.told == [("one", "two")]
    assert "no room" in caplog.text


async def test_unsubscribed_is_told_no_more(file: Path) -> None:
    desk = Desk(file)
    end = desk.watcher.subscribe(desk.note)
    end()
    end()
    await desk.watcher.start()
    await desk.save("title: two\n")
    await desk.watcher.stop()
    assert desk.told == []


async def test_other_files_are_watched_when_the_sources_move(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("title: one\n")
    folder = tmp_path / "conf"
    folder.symlink_to(tmp_path)
    async with running(Desk(folder)) as desk:
        moved = tmp_path / "moved"
        folder.unlink()
        folder.write_text("title: now a file\n")
        await desk.hints.hint()
        assert desk.watcher.settings.title == "now a file"
        folder.rename(moved)
        folder.symlink_to(moved)
        await desk.hints.hint()
        assert desk.hints.watched == [(folder / "dev.yaml",), (folder,)]


async def test_without_files_there_is_nothing_to_follow() -> None:
    watcher = Watcher(load(Shop, sources()), changes=Hints())
    await watcher.start()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watcher.wait(), 0.01)
    await watcher.stop()


async def test_failure_to_follow_is_raised_to_who_waits(file: Path) -> None:
    async with running(Desk(file)) as desk:
        desk.hints.fail()
        with pytest.raises(OSError, match="too many watches"):
            await desk.watcher.wait()
        assert desk.watcher.loaded.settings.title == "one"


async def next_hint(changes: AsyncGenerator[None, None]) -> None:
    async with asyncio.timeout(10):
        await anext(changes)


@pytest.mark.parametrize("swap", ["write", "rename", "link"])
async def test_the_system_hints_at_every_way_to_replace_a_file(tmp_path: Path, swap: str) -> None:
    folder = tmp_path / "conf"
    for version in ("1", "2"):
        (folder / f"..{version}").mkdir(parents=True)
        (folder / f"..{version}" / "dev.yaml").write_text(version)
    (folder / "..data").symlink_to("..1")
    file = folder / "dev.yaml"
    if swap == "link":  # as Kubernetes mounts a ConfigMap
        file.symlink_to("..data/dev.yaml")
    else:
        file.write_text("1")
    changes = SystemFileChanges(poll=timedelta(minutes=1)).watch([file])
    waiting = asyncio.create_task(next_hint(changes))
    await started_watching()
    if swap == "write":
        file.write_text("2")
    elif swap == "rename":
        (folder / ".dev.yaml.swp").write_text("2")
        (folder / ".dev.yaml.swp").rename(file)
    else:
        (folder / "..data_tmp").symlink_to("..2")
        (folder / "..data_tmp").rename(folder / "..data")
    await waiting
    assert file.read_text() == "2"
    await changes.aclose()


async def started_watching() -> None:
    """The watch is set up before the first await of its generator."""
    await asyncio.sleep(0)


async def test_the_system_hints_now_and_then_anyway(tmp_path: Path) -> None:
    changes = SystemFileChanges(poll=timedelta(milliseconds=5)).watch([tmp_path / "x.yaml"])
    await next_hint(changes)
    await next_hint(changes)
    await changes.aclose()


async def test_a_folder_may_come_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    changes = SystemFileChanges(poll=timedelta(milliseconds=5)).watch([folder / "dev.yaml"])
    await next_hint(changes)
    folder.mkdir()
    await next_hint(changes)
    folder.rmdir()
    await next_hint(changes)
    await next_hint(changes)
    await changes.aclose()
