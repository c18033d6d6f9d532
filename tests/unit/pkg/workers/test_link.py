"""The line between a worker and its supervisor."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from pkg.workers import Link, Ready


async def test_what_a_worker_tells_is_what_its_supervisor_hears() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        link = Link(theirs.fileno())
        await link.start()
        ready = Ready(admin="127.0.0.1:1", places={"HTTP": "http://x"}, login="a", password="b")
        await link.tell(ready)
        reader, writer = await asyncio.open_connection(sock=ours)
        assert Ready.of(await reader.readline()) == ready
        assert "password" not in repr(ready)
        await link.stop()
        writer.close()


async def test_a_worker_hears_that_its_supervisor_has_gone() -> None:
    ours, theirs = socket.socketpair()
    cut = asyncio.Event()
    with theirs:
        link = Link(theirs.fileno(), on_cut=cut.set)
        await link.start()
        assert not cut.is_set()
        ours.close()
        async with asyncio.timeout(10):
            await cut.wait()
        await link.tell(Ready(admin=""))
        await link.stop()


async def test_a_stopped_link_hears_nothing() -> None:
    ours, theirs = socket.socketpair()
    cut = asyncio.Event()
    with theirs:
        link = Link(theirs.fileno(), on_cut=cut.set)
        await link.start()
        await link.stop()
        ours.close()
        await asyncio.sleep(0)
    assert not cut.is_set()


async def test_without_a_supervisor_there_is_no_worker() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError, match="Socket operation on non-socket"):
            await Link(reading).start()
    finally:
        os.close(reading)
        os.close(writing)
