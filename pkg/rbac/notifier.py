"""How processes tell each other that the policies have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


class PolicyNotifier(Protocol):
    """Spreads versions, as hints: they may get lost, and those that come late be left out.

    Whoever relies on being current reads the version from where the policies are, now and then.
    """

    async def publish(self, version: int) -> None:
        """Tell all who are subscribed now, in this process too.

        Raises:
            Exception: they may not have been told.
        """
        ...

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[int]]:
        """Hear of what is published from when the block is entered until it is left.

        The iterator ends never, unless by raising that the connection is lost.
        """
        ...
