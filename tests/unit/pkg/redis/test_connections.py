"""A command that is cancelled does not go on, whenever the cancellation comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pkg.redis import EmbeddedValkey, RedisSettings, open_redis

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_task_that_only_talks_to_redis_can_be_cancelled_at_any_time(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    client: Any = open_redis(RedisSettings(), server.url)

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
