"""What is known of one service, with those who want to hear of changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from pkg.registry.instance import Instance


class Board:
    """The instances of one service. Written and watched in one loop, read by any thread."""

    def __init__(self, instances: Iterable[Instance] | None = None) -> None:
        """Begin with these; without, nothing is known yet."""
        self.instances: tuple[Instance, ...] = ()
        """Those that are known, ordered by id; the same tuple until they change."""
        self.known = False
        """Whether anything was ever written."""
        self._changed = asyncio.Event()
        if instances is not None:
            self.write(instances)

    def write(self, instances: Iterable[Instance]) -> None:
        """Know these from now on."""
        written = tuple(sorted(instances, key=lambda instance: instance.id))
        if self.known and written == self.instances:
            return
        self.instances, self.known = written, True
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def watch(self) -> AsyncGenerator[tuple[Instance, ...], None]:
        """Yield the instances, once any are known, and at every change."""
        told: tuple[Instance, ...] | None = None
        while True:
            changed = self._changed
            if self.known and self.instances is not told:
                told = self.instances
                yield told
            else:
                await changed.wait()
