"""Calls that ask at the same time share a command, and nobody gets what was read before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from pkg.jwt.shared_reads import SharedReads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis


class Server:
    """A client whose server answers when it is let to."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.commands: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken: Exception | None = None

    async def mget(self, keys: Sequence[str]) -> list[Any]:
        values = [self.values.get(key) for key in keys]
        self.commands.append(list(keys))
        await self.open.wait()
        if self.broken is not None:
            raise self.broken
        return values


async def ask_one_by_one(reads: SharedReads, count: int) -> list[asyncio.Task[list[Any]]]:
    """Each asks when the one before has had its turn of the loop."""
    asking = []
    for number in range(count):
        asking.append(asyncio.create_task(reads.get(str(number))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return asking


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def reads(server: Server) -> SharedReads:
    return SharedReads(cast("Redis", server), patience=3600)


async def test_each_call_gets_the_values_of_its_own_keys(
    server: Server, reads: SharedReads
) -> None:
    server.values = {"a": b"1", "c": b"3"}

    found = list(await asyncio.gather(reads.get("a", "b"), reads.get("c"), reads.get("b", "a")))

    assert found == [[b"1", None], [b"3"], [None, b"1"]]
    assert server.commands == [["a", "b", "c", "b", "a"]]


async def test_what_is_asked_for_while_a_read_is_under_way_shares_the_next(
    server: Server, reads: SharedReads
) -> None:
    server.open.clear()
    asking = await ask_one_by_one(reads, 4)
    assert server.commands == [["0"]]

    server.open.set()
    await asyncio.gather(*asking)

    assert server.commands == [["0"], ["1", "2", "3"]]


async def test_a_read_that_takes_long_holds_up_nobody_else(server: Server) -> None:
    reads = SharedReads(cast("Redis", server), patience=0)
    server.open.clear()

    asking = await ask_one_by_one(reads, 6)

    assert server.commands == [["0"], ["1"], ["2"], ["3"]]
    server.open.set()
    await asyncio.gather(*asking)
    assert server.commands[4:] == [["4", "5"]]


async def test_what_was_written_before_a_call_asks_is_seen_by_it(
    server: Server, reads: SharedReads
) -> None:
    server.open.clear()
    before = asyncio.create_task(reads.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert server.commands

    server.values["a"] = b"new"
    after = asyncio.create_task(reads.get("a"))
    server.open.set()

    assert await before == [None]
    assert await after == [b"new"]


async def test_a_failure_is_everybodys_and_the_next_read_may_go_well(
    server: Server, reads: SharedReads
) -> None:
    server.broken = OSError("gone")
    asking = asyncio.gather(reads.get("a"), reads.get("b"), return_exceptions=True)
    found: list[object] = list(await asking)
    assert found == [server.broken] * 2

    server.broken = None

    assert await reads.get("a") == [None]


async def test_a_call_that_is_cancelled_takes_nothing_from_the_others(
    server: Server, reads: SharedReads
) -> None:
    server.values["b"] = b"2"
    server.open.clear()
    gone, stays = asyncio.create_task(reads.get("a")), asyncio.create_task(reads.get("b"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    gone.cancel()
    server.open.set()

    assert await stays == [b"2"]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_many_calls_are_read_in_pieces(server: Server, reads: SharedReads) -> None:
    found = await asyncio.gather(*(reads.get(str(number)) for number in range(300)))

    assert len(found) == 300
    assert max(map(len, server.commands)) <= 128
