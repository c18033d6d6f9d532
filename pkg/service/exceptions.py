"""Exceptions that nobody catches, while the process runs."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.holmes import ExceptionHooks


class Exceptions:
    """A component: the hooks of the process, and of the loop that starts it, are there."""

    name = "exceptions"

    def __init__(self, hooks: ExceptionHooks) -> None:
        self._hooks = hooks
        self._held = ExitStack()

    async def start(self) -> None:
        """Install the hooks.

        Raises:
            OSError: the file for crashes cannot be opened.
        """
        with ExitStack() as held:
            held.enter_context(self._hooks)
            held.enter_context(self._hooks.loop())
            self._held = held.pop_all()

    async def stop(self) -> None:
        """Put back what was there."""
        self._held.close()
