"""What every remote source of configuration does."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import pytest

from pkg.config.remote import MemorySource, Part, RemoteError, RemoteSettings, RemoteSource
from pkg.config.remote.consul import ConsulSource
from pkg.config.remote.directory import DirectorySource
from pkg.consul import ConsulSettings
from pkg.consul.client import ConsulClient
from tests.contract import servers
from tests.contract.fake_consul import FakeConsul

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from pkg.config.remote import Said

SOON = 30.0
"""Seconds: far more than it takes."""


class Pen(Protocol):
    """Writes where a source reads."""

    @property
    def source(self) -> RemoteSource: ...

    async def write(self, text: str) -> None: ...

    async def erase(self) -> None: ...


class MemoryPen:
    """A source in memory, and what writes to it."""

    def __init__(self) -> None:
        self.source = MemorySource()

    async def write(self, text: str) -> None:
        await self.source.say(Part("memory", text))

    async def erase(self) -> None:
        await self.source.say()


class ConfigMapPen:
    """Swaps the link `..data`, as Kubernetes does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._versions = 0
        self.source = DirectorySource(folder, poll=timedelta(seconds=1))

    async def write(self, text: str) -> None:
        self._versions += 1
        version = self._folder / f"..{self._versions}"
        version.mkdir()
        (version / "app.yaml").write_text(text)
        self._swap(version.name)

    def _swap(self, version: str) -> None:
        (self._folder / "..data_tmp").symlink_to(version)
        (self._folder / "..data_tmp").rename(self._folder / "..data")
        file = self._folder / "app.yaml"
        if not file.is_symlink():
            file.symlink_to("..data/app.yaml")

    async def erase(self) -> None:
        (self._folder / "app.yaml").unlink()
        (self._folder / "..data").unlink()


class ConsulPen:
    """Writes a key by a client of its own."""

    def __init__(self, client: ConsulClient, source: RemoteSource, key: str) -> None:
        self._client = client
        self._key = key
        self.source = source

    async def write(self, text: str) -> None:
        await self._client.put(self._key, text.encode())

    async def erase(self) -> None:
        await self._client.delete(self._key)


@pytest.fixture(
    params=["memory", "directory", "fake", pytest.param("consul", marks=pytest.mark.integration)]
)
async def pen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pen]:
    if request.param == "memory":
        yield MemoryPen()
    elif request.param == "directory":
        yield ConfigMapPen(tmp_path / "conf")
    else:
        fake = FakeConsul() if request.param == "fake" else None
        settings = ConsulSettings() if fake else _real()
        key = f"test/{uuid.uuid4().hex}/prod.yaml"
        async with ConsulClient(settings, transport=fake) as client:
            yield ConsulPen(client, ConsulSource(settings, key, transport=fake), key)
            await client.delete(key)


def _real() -> ConsulSettings:
    parts = urlsplit(servers.address("TEST_CONSUL_URL"))
    url = f"consul://{parts.netloc}/unused"
    return RemoteSettings(url=url).consul()


async def text(heard: AsyncGenerator[Said, None]) -> str:
    async with asyncio.timeout(SOON):
        return (await anext(heard))[-1].text


async def until(heard: AsyncGenerator[Said, None], wanted: str) -> None:
    """Hear until it says this; it may say the same more than once."""
    while await text(heard) != wanted:
        pass


async def test_what_was_written_is_loaded(pen: Pen) -> None:
    await pen.write("title: 店\n")

    (part,) = await pen.source.load()

    assert (part.text, part.key) == ("title: 店\n", "")
    assert part.place.startswith(pen.source.name)
    assert "店" not in repr(part)


async def test_what_was_never_written_cannot_be_loaded(pen: Pen) -> None:
    with pytest.raises(RemoteError):
        await pen.source.load()
    async with aclosing(pen.source.watch()) as heard:
        with pytest.raises(RemoteError):
            await anext(heard)


async def test_who_watches_hears_what_is_there_and_every_change(pen: Pen) -> None:
    await pen.write("title: one\n")
    async with aclosing(pen.source.watch()) as heard:
        assert await text(heard) == "title: one\n"
        for title in ("title: two\n", "title: three\n"):
            hearing = asyncio.create_task(until(heard, title))
            await asyncio.sleep(0)
            await pen.write(title)
            await hearing


async def test_a_change_between_two_watches_is_heard(pen: Pen) -> None:
    await pen.write("title: one\n")
    async with aclosing(pen.source.watch()) as heard:
        await text(heard)
    await pen.write("title: two\n")
    async with aclosing(pen.source.watch()) as heard:
        assert await text(heard) == "title: two\n"


async def test_two_may_watch(pen: Pen) -> None:
    await pen.write("title: one\n")
    async with aclosing(pen.source.watch()) as one, aclosing(pen.source.watch()) as other:
        assert await text(one) == await text(other) == "title: one\n"
        hearing = asyncio.gather(until(one, "title: two\n"), until(other, "title: two\n"))
        await asyncio.sleep(0)
        await pen.write("title: two\n")
        await hearing


async def test_what_is_taken_away_ends_the_watch(pen: Pen) -> None:
    await pen.write("title: one\n")
    async with aclosing(pen.source.watch()) as heard:
        await text(heard)
        hearing = asyncio.create_task(until(heard, "never"))
        await asyncio.sleep(0)
        await pen.erase()
        with pytest.raises(RemoteError):
            await hearing


async def test_a_watch_can_be_given_up_while_it_waits(pen: Pen) -> None:
    await pen.write("title: one\n")
    async with aclosing(pen.source.watch()) as heard:
        await text(heard)
        hearing = asyncio.create_task(until(heard, "never"))
        await asyncio.sleep(0)
        hearing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hearing
