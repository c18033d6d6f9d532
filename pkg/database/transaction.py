"""One transaction, and what happens when it is over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

_LINGER: Final = timedelta(seconds=1)


class Transaction:
    """An open transaction. Its session flushes and never commits: leaving the block does."""

    def __init__(self, session: AsyncSession, *, linger: timedelta = _LINGER) -> None:
        """`linger`: how long a caller who is cancelled waits for the answer to its COMMIT."""
        self.session = session
        self._linger = linger.total_seconds()
        self._hooks: list[Callable[[], Awaitable[None]]] = []
        self._committed = False

    def after_commit(self, hook: Callable[[], Awaitable[None]]) -> None:
        """Run `hook` once this is committed, and never if it is not."""
        self._hooks.append(hook)

    async def commit(self) -> None:
        """Commit, then run the hooks in order. Called by `Database.transaction`.

        A hook runs though an earlier one failed. A caller who is cancelled meanwhile is so only
        after that: hooks that were cut off would leave, say, a changed password with live sessions.
        Where the server does not answer the COMMIT either, the caller goes after `linger`. What
        became of the COMMIT nobody knows then, and no hook runs: as if the connection had broken.

        Raises:
            Exception: the first that a hook raised. The commit stands.
        """
        task = asyncio.ensure_future(self._commit())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task], timeout=self._linger)
            if not self._committed:
                task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()
            raise

    async def _commit(self) -> None:
        await self.session.commit()
        self._committed = True
        failures: list[Exception] = []
        for hook in self._hooks:
            try:
                await hook()
            except Exception as error:  # noqa: BLE001 - raised below, once the others have run
                failures.append(error)
        if failures:
            raise failures[0]
