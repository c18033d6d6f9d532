"""Components that note what happens to them, and misbehave on request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class Part:
    """A well-behaved component with a journal that it shares with others."""

    name: str
    journal: list[str]

    async def start(self) -> None:
        self.journal.append(f"start {self.name}")

    async def stop(self) -> None:
        self.journal.append(f"stop {self.name}")


@dataclass
class Broken(Part):
    """Raises where it is told to."""

    at_start: BaseException | None = None
    at_stop: BaseException | None = None

    async def start(self) -> None:
        await super().start()
        if self.at_start is not None:
            raise self.at_start

    async def stop(self) -> None:
        await super().stop()
        if self.at_stop is not None:
            raise self.at_stop


@dataclass
class Hanging(Part):
    """Never gets done; `deaf` ignores even its cancellation, until `release` is set."""

    at: str = "stop"
    deaf: bool = False
    release: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        await super().start()
        if self.at == "start":
            await self._hang()

    async def stop(self) -> None:
        await super().stop()
        if self.at == "stop":
            await self._hang()

    async def _hang(self) -> None:
        self.entered.set()
        while True:
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.journal.append(f"cancel {self.name}")
                if self.deaf:
                    continue
                raise
            return


@dataclass
class Mortal(Part):
    """Ends by itself when `end` is called."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cause: Exception | None = None

    async def wait(self) -> None:
        await self.ended.wait()
        if self.cause is not None:
            raise self.cause

    def end(self, cause: Exception | None = None) -> None:
        self.cause = cause
        self.ended.set()


@dataclass
class Patient(Part):
    """Says how it is."""

    error: Exception | None = None
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    async def check(self) -> None:
        await self.answers.wait()
        if self.error is not None:
            raise self.error
