"""A producer that can be told how to fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pkg.bus import DeliveryError, Message, RejectedError, UnavailableError

if TYPE_CHECKING:
    from datetime import timedelta

    from pkg.bus import BusError


class Wire:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.away = False
        self.refused: set[bytes] = set()
        self.largest_header = 1 << 20
        self.broken: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()
        self.pauses: list[timedelta] = []

    async def send(self, *messages: Message) -> None:
        self.asked.set()
        await self.open.wait()
        if self.broken is not None:
            raise self.broken
        failures: list[tuple[Message, BusError]] = []
        for each in messages:
            if self.away:
                failures.append((each, UnavailableError("away")))
            elif self._refuses(each):
                failures.append((each, RejectedError("too large")))
            else:
                self.sent.append(each)
        if failures:
            raise DeliveryError(failures)

    async def pause(self, time: timedelta) -> None:
        """A `Pause` that only lets others have their turn."""
        self.pauses.append(time)
        await asyncio.sleep(0)

    async def until_paused(self, times: int) -> None:
        """Return when so many waits have passed."""
        async with asyncio.timeout(10):
            while len(self.pauses) < times:  # noqa: ASYNC110 - turns of the loop, not time
                await asyncio.sleep(0)

    @property
    def values(self) -> list[bytes]:
        return [each.value for each in self.sent]

    def _refuses(self, message: Message) -> bool:
        largest = max((len(value) for _, value in message.headers), default=0)
        return message.value in self.refused or largest > self.largest_header
