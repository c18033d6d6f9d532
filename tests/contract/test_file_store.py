"""What every file store does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pkg.filestore import (
    DirectoryFileStore,
    FileStore,
    MemoryFileStore,
    StoredFile,
    TooLargeError,
)
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LIMIT = 1024 * 1024


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "memory":
        return MemoryFileStore(FakeTokens())
    return DirectoryFileStore(tmp_path / "files", FakeTokens())


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def put(store: FileStore, *chunks: bytes, limit: int = LIMIT, kind: str = "a/b") -> str:
    return await store.put(stream(*chunks), content_type=kind, limit=limit)


async def content(file: StoredFile | None) -> bytes | None:
    return None if file is None else b"".join([chunk async for chunk in file.chunks])


@pytest.mark.parametrize(
    "chunks", [(), (b"",), (b"one",), (b"on", b"", b"e"), (b"x" * 300_000,) * 3]
)
async def test_what_was_put_can_be_opened(store: FileStore, chunks: tuple[bytes, ...]) -> None:
    key = await put(store, *chunks, kind="image/png; x=y")

    file = await store.open(key)

    assert file is not None
    assert (file.content_type, file.size) == ("image/png; x=y", len(b"".join(chunks)))
    assert await content(file) == b"".join(chunks)


async def test_a_file_is_read_once_for_each_opening(store: FileStore) -> None:
    key = await put(store, b"one")
    first, second = await store.open(key), await store.open(key)

    assert await content(first) == await content(second) == b"one"
    assert await content(first) == b""


async def test_the_same_content_has_another_key(store: FileStore) -> None:
    assert await put(store, b"one") != await put(store, b"one")


async def test_files_of_exactly_the_limit_are_taken(store: FileStore) -> None:
    assert await content(await store.open(await put(store, b"12", b"34", limit=4))) == b"1234"


async def test_a_larger_file_is_refused_and_read_no_further(store: FileStore) -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(1)
            yield b"12"

    with pytest.raises(TooLargeError) as caught:
        await store.put(endless(), content_type="a/b", limit=4)

    assert caught.value.limit == 4
    assert len(read) == 3


async def test_what_breaks_off_is_not_kept(store: FileStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"one"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(broken(), content_type="a/b", limit=LIMIT)

    assert await leftovers(tmp_path) == []


async def test_a_put_that_is_cancelled_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def hangs() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put(hangs(), content_type="a/b", limit=LIMIT))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await leftovers(tmp_path) == []


async def leftovers(directory: Path) -> list[Any]:
    def walk() -> list[Any]:
        return [path for path in directory.rglob("*") if path.is_file()]

    return await asyncio.to_thread(walk)


@pytest.mark.parametrize("kind", ["", "png", "image/png\r\nx: y", "image/ü", "a/" + "b" * 300])
async def test_what_is_no_content_type_is_refused(store: FileStore, kind: str) -> None:
    with pytest.raises(ValueError, match="content type"):
        await put(store, b"one", kind=kind)


async def test_a_deleted_file_is_gone(store: FileStore) -> None:
    key = await put(store, b"one")

    await store.delete(key)
    await store.delete(key)

    assert await store.open(key) is None


async def test_a_file_that_is_open_is_complete_though_deleted(store: FileStore) -> None:
    key = await put(store, b"x" * 600_000)
    file = await store.open(key)

    await store.delete(key)

    assert await content(file) == b"x" * 600_000


@pytest.mark.parametrize(
    "key",
    ["", "..", "../../etc/passwd", "/etc/passwd", "a" * 31, "A" * 32, "a" * 32, "a\0b", "é" * 32],
)
async def test_no_other_text_is_a_key(store: FileStore, key: str) -> None:
    assert await store.open(key) is None
    await store.delete(key)


async def test_many_at_once(store: FileStore) -> None:
    keys = await asyncio.gather(*(put(store, str(number).encode()) for number in range(20)))

    files = await asyncio.gather(*(store.open(key) for key in keys))

    assert [await content(file) for file in files] == [b"%d" % number for number in range(20)]
