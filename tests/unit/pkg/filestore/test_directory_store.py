"""Files in a directory outlive the store, and nobody else reads them."""

from __future__ import annotations

import asyncio
import gc
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pkg.filestore import DirectoryFileStore, MemoryFileStore
from pkg.filestore.threads import in_thread
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def put(store: DirectoryFileStore | MemoryFileStore) -> str:
    return await store.put(stream(b"one"), content_type="text/plain", limit=9)


def kept(directory: Path) -> list[Path]:
    return list(directory.glob("*/*"))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_file_is_there_for_the_next_process(tmp_path: Path) -> None:
    key = await put(DirectoryFileStore(tmp_path, FakeTokens()))

    file = await DirectoryFileStore(tmp_path, FakeTokens("other")).open(key)

    assert file is not None
    assert b"".join([chunk async for chunk in file.chunks]) == b"one"


async def test_nothing_is_readable_by_others(tmp_path: Path) -> None:
    await put(DirectoryFileStore(tmp_path / "files", FakeTokens()))

    modes = [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "files").glob("??/*")]

    assert modes
    assert all(mode & 0o077 == 0 for mode in modes)


async def test_a_key_that_is_drawn_twice_does_not_replace_a_file(tmp_path: Path) -> None:
    await put(DirectoryFileStore(tmp_path, FakeTokens()))

    with pytest.raises(OSError, match="not empty"):
        await put(DirectoryFileStore(tmp_path, FakeTokens()))


async def test_a_file_that_is_not_read_to_its_end_is_closed(tmp_path: Path) -> None:
    store = DirectoryFileStore(tmp_path, FakeTokens())
    key = await put(store)
    before = open_files()

    file = await store.open(key)
    assert file is not None
    del file
    gc.collect()

    assert open_files() <= before


async def test_a_file_that_is_put_in_vain_at_the_last_moment_is_gone(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()

    async def ending() -> AsyncIterator[bytes]:
        yield b"one"
        loop.call_soon(task.cancel)  # comes while the file is brought to its place

    store = DirectoryFileStore(tmp_path, FakeTokens())
    task = asyncio.create_task(store.put(ending(), content_type="text/plain", limit=9))
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await store.open(FakeTokens().hex(16)) is None
    assert kept(tmp_path) == []


async def test_memory_counts_its_files() -> None:
    store = MemoryFileStore(FakeTokens())
    await put(store)

    assert len(store) == 1


async def test_work_in_a_thread_is_over_when_its_cancellation_is() -> None:
    done: list[str] = []
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        done.append("work")

    task = asyncio.create_task(in_thread(work))
    await begun.wait()
    task.cancel()
    loop.call_later(0, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task

    assert done == ["work"]
