"""Keeps the dictionary as its file says."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from pkg.config.changes import FileChanges, SystemFileChanges

if TYPE_CHECKING:
    from internal.user.data.dictionary import FileDictionary

_LOG: Final = logging.getLogger(__name__)


class DictionaryWatch:
    """A component: reads the dictionary at the start, and again whenever its file changes.

    A file that is not good stops the start; later it changes nothing, and the log says why.
    """

    name = "dictionary"

    def __init__(
        self,
        dictionary: FileDictionary,
        *,
        changes: FileChanges | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """`changes`: where hints of changes come from; the operating system if nowhere else."""
        self._dictionary = dictionary
        self._changes = changes or SystemFileChanges()
        self._log = logger
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the file and begin to follow it.

        Raises:
            ValueError: it is not a dictionary; says why.
        """
        await self._dictionary.reload()
        self._task = asyncio.create_task(self._follow(), name="dictionary-watch")

    async def stop(self) -> None:
        """Follow it no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def _follow(self) -> None:
        async with aclosing(self._changes.watch((self._dictionary.path,))) as hints:
            async for _ in hints:
                try:
                    if await self._dictionary.reload():
                        self._log.info("dictionary read again from %s", self._dictionary.path)
                except ValueError as error:
                    self._log.error("dictionary refused, the last good one stays: %s", error)
