"""Settings follow their remote source; what is refused changes nothing, nor does an outage."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.app import Health, Phase
from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import FakeClock
from pkg.config import load
from pkg.config.remote import Part, Remote, RemoteCache, RemoteError, Said
from pkg.config.watcher import Watcher
from tests.unit.pkg.config.shop import Shop, sources

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import pytest

PLACE = "radio:shop.yaml"


def said(text: str) -> Said:
    return (Part(PLACE, text),)


class Radio:
    """A source that says what a test tells it to, one after the other."""

    name = "radio"

    def __init__(self) -> None:
        self._said: asyncio.Queue[Said | RemoteError] = asyncio.Queue()

    async def load(self) -> Said:
        raise RemoteError("only watched here")

    async def watch(self) -> AsyncGenerator[Said, None]:
        while True:
            said = await self._said.get()
            try:
                if isinstance(said, RemoteError):
                    raise said
                yield said
            finally:
                self._said.task_done()

    async def say(self, *said: Said | RemoteError) -> None:
        """Return when all of it has been dealt with."""
        for each in said:
            self._said.put_nowait(each)
        await self._said.join()


class Desk:
    """A watcher of a file and a radio, with what came of it."""

    def __init__(self, tmp_path: Path) -> None:
        self.file = tmp_path / "shop.yaml"
        self.file.write_text("ratio: 0.1\n")
        self.cache = RemoteCache(tmp_path / "kept", "radio")
        self.radio = Radio()
        self.alerts = MemoryAlerts()
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        remote = Remote(
            source=self.radio,
            backoff=Backoff(BackoffSettings(), lambda: 0.0),
            cache=self.cache,
            clock=self.clock,
            pause=self.pause,
        )
        self.watcher = Watcher(
            load(Shop, replace(sources(self.file), remote=said("title: one\n"))),
            changes=Silence(),
            remote=remote,
            alerts=self.alerts,
            registry=self.registry,
        )
        self.told: list[str] = []

    async def pause(self, _time: timedelta) -> None:
        """Wait for nothing."""

    async def note(self, _old: Shop, new: Shop) -> None:
        self.told.append(new.title)

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


class Silence:
    """No hints about files."""

    async def watch(self, _files: Any) -> AsyncGenerator[None, None]:
        await asyncio.get_running_loop().create_future()
        yield


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncGenerator[Desk, None]:
    desk = Desk(tmp_path)
    desk.watcher.subscribe(desk.note)
    await desk.watcher.start()
    yield desk
    await desk.watcher.stop()


async def test_news_is_taken_and_told(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        await desk.radio.say(said("title: one\n"), said("title: two\n"), said("title: two\n"))

        assert (desk.watcher.settings.title, desk.told) == ("two", ["two"])
        assert desk.watcher.settings.ratio == 0.1
        assert desk.sample("config_reloads_total", result="accepted") == 1
        assert desk.cache.read() == said("title: two\n")


async def test_bad_news_is_refused_with_its_place_and_sends_one_alert(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as desk:
        await desk.radio.say(*[said("title: two\nratio: much\n")] * 3)

        assert desk.watcher.settings.title == "one"
        assert desk.sample("config_reloads_total", result="refused") == 1
        assert f"{PLACE}:2: ratio" in caplog.text
        (alert,) = desk.alerts.sent
        assert alert.topic == "config"
        assert f"{PLACE}:2: ratio" in alert.detail
        assert desk.cache.read() is None

        await desk.radio.say(said("title: three\n"))
        assert desk.told == ["three"]


async def test_an_outage_keeps_the_last_good_one_and_stays_ready(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        health = Health([desk.watcher], clock=desk.clock)
        health.phase = Phase.RUNNING
        await desk.radio.say(*[RemoteError("radio is silent")] * 4)

        report = await health.report()
        assert report.ready
        assert report.components[0].note == "stale since 2026-01-01T00:00:00+00:00"
        assert desk.watcher.settings.title == "one"
        assert desk.sample("config_remote_failures_total") == 4
        (alert,) = desk.alerts.sent
        assert (alert.topic, alert.detail) == ("config", "radio is silent")

        await desk.radio.say(said("title: two\n"))
        assert (await health.report()).components[0].note == ""
        assert desk.told == ["two"]


async def test_the_age_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        await desk.radio.say(said("title: one\n"))
        desk.clock.advance(timedelta(seconds=9))

        assert desk.sample("config_remote_age_seconds") == 9


async def test_file_and_source_may_be_put_right_together(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        await desk.radio.say(said("server: {http: {port: 70000}}\n"))
        assert not await desk.watcher.reload()
        await desk.radio.say(said("server: {http: {port: 70}}\n"))
        desk.file.write_text("ratio: 0.7\n")
        assert await desk.watcher.reload()

        assert (desk.watcher.settings.server.http.port, desk.watcher.settings.ratio) == (70, 0.7)


async def test_a_cache_that_cannot_be_written_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with running(tmp_path) as desk:
        (tmp_path / "kept").mkdir()
        await desk.radio.say(said("title: two\n"))

        assert desk.told == ["two"]
        assert "what radio says cannot be kept" in caplog.text


async def test_the_start_waits_for_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    async with asyncio.timeout(1):
        await desk.watcher.start()
    await desk.watcher.stop()
