"""Commands go out as redis-py writes them, and do not go on when they are cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio.connection import Connection
from redis.exceptions import DataError

from pkg.redis import EmbeddedValkey, open_redis
from pkg.redis.connections import CLASSES
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_task_that_only_talks_to_redis_can_be_cancelled_at_any_time(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    client: Any = open_redis(PATIENT, server.url)

    async def talk() -> None:
        for _ in range(50):
            await client.get("a")

    went_on = 0
    for number in range(400):
        task = asyncio.create_task(talk())
        # As many turns of the loop as it takes to be anywhere in a command.
        for _ in range(number % 40):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        went_on += not task.cancelled()

    assert went_on == 0
    await client.aclose()
    await server.stop()


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "schlüssel"),
        ("SCRIPT LOAD", "return 1"),
        (b"CLIENT SETINFO", "LIB-NAME", b"x"),
        ("EVALSHA", "0" * 40, 1, b"k", 2**70, -1, 0.1, 1e300, 1e-7, -0.0, ""),
        ("SET", "k", b"\x00\r\n" * 5000, "PX", 100),
    ],
)
def test_a_command_goes_out_as_redis_py_writes_it(command: tuple[Any, ...]) -> None:
    ours: Any = CLASSES[Connection]()
    theirs: Any = Connection()

    assert b"".join(ours.pack_command(*command)) == b"".join(theirs.pack_command(*command))


@pytest.mark.parametrize("value", [None, True, [1], object()])
def test_what_redis_cannot_store_is_refused(value: object) -> None:
    ours: Any = CLASSES[Connection]()

    with pytest.raises(DataError, match="SET"):
        ours.pack_command("SET", "key", value)
