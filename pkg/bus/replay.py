"""Sends the messages of a dead-letter topic to where they came from, once what failed is mended.

It reads as a member of a group of its own, `replay`, so that a second run goes on where the first
ended. Each message keeps its id, so that an inbox knows what was done already; loses the `dead-`
headers; and counts itself in `replay-count`. A message is committed when it is on its topic again:
a run that is killed sends at most one batch twice.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.bus.dead_letter import revived

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pkg.bus.message import Message, Partition, Received
    from pkg.bus.ports import Producer, Source

GROUP: Final = "replay"
_BATCH: Final = 100
_POLL: Final = timedelta(milliseconds=250)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a run did."""

    read: int = 0
    sent: int = 0
    skipped: int = 0
    """They do not say where they came from."""

    def __str__(self) -> str:
        return f"{self.read} read, {self.sent} sent again, {self.skipped} skipped"


async def replay(
    source: Source,
    producer: Producer,
    *,
    limit: int,
    dry_run: bool = False,
    idle: timedelta = timedelta(seconds=5),
    show: Callable[[str], None] = lambda _line: None,
) -> Replayed:
    """Replay up to `limit` messages; ends sooner when nothing has come for `idle`.

    Args:
        source: of the dead-letter topic, as a member of the group `replay`. Opened and closed here.
        producer: sends them.
        limit: how many at most.
        dry_run: only show what would be sent: nothing is sent, nothing committed.
        idle: how long to wait for messages, and for partitions that others still have.
        show: told of each message in one line.

    Raises:
        DeliveryError: a message was not taken. What was sent before is committed.
        UnavailableError: the bus does not answer.
    """
    result = Replayed()
    try:
        await source.open(_Quiet())
        loop = asyncio.get_running_loop()
        last = loop.time()
        while result.read < limit and loop.time() - last < idle.total_seconds():
            batch = await source.poll(_POLL, min(_BATCH, limit - result.read))
            batch = batch[: limit - result.read]  # a poll may give more, which stays uncommitted
            if not batch:
                continue
            last = loop.time()
            again = [(each, revived(each)) for each in batch]
            for received, message in again:
                show(_line(received, message))
            letters = [message for _, message in again if message is not None]
            if not dry_run:
                await producer.send(*letters)
                await source.commit({each.where: each.offset + 1 for each in batch})
            result = Replayed(
                result.read + len(batch),
                result.sent + (0 if dry_run else len(letters)),
                result.skipped + len(batch) - len(letters),
            )
    finally:
        await source.close()
    return result


def _line(received: Received, message: Message | None) -> str:
    where = f"{received.where}@{received.offset} {received.id}"
    return f"{where} -> {message.topic}" if message else f"{where}: does not say where it came from"


class _Quiet:
    """A `Rebalance` that need not know: what is in hand is committed at once."""

    async def assigned(self, partitions: Collection[Partition]) -> None:
        """Go on."""

    async def revoked(self, partitions: Collection[Partition]) -> None:
        """Go on."""
