"""A source in memory: for tests, and for texts that another part of the process gets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pkg.config.remote.source import RemoteError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pkg.config.remote.part import Part, Said


class MemorySource:
    """A `RemoteSource` that says what it is told to, for one event loop."""

    def __init__(self, *parts: Part, name: str = "memory") -> None:
        """Begin with these parts; without any it cannot be read."""
        self._name = name
        self._said: Said = parts
        self._changed = asyncio.Condition()
        self._version = 0

    @property
    def name(self) -> str:
        """What it was named."""
        return self._name

    async def say(self, *parts: Part) -> None:
        """Say this from now on, or nothing any more."""
        async with self._changed:
            self._said = parts
            self._version += 1
            self._changed.notify_all()

    async def load(self) -> Said:
        """What it says.

        Raises:
            RemoteError: nothing.
        """
        if not self._said:
            raise RemoteError(f"{self._name} says nothing")
        return self._said

    async def watch(self) -> AsyncGenerator[Said, None]:
        """Yield what it says, now and at every change; in between the latest only.

        Raises:
            RemoteError: it says nothing.
        """
        while True:
            version = self._version
            yield await self.load()
            async with self._changed:
                while self._version == version:
                    await self._changed.wait()
