"""One transaction, and what happens when it is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")


class Transaction:
    """An open transaction. Its session flushes and never commits: leaving the block does."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self._hooks: list[Callable[[], Awaitable[None]]] = []

    def after_commit(self, hook: Callable[[], Awaitable[None]]) -> None:
        """Run `hook` once this is committed, and never if it is not."""
        self._hooks.append(hook)

    async def commit(self) -> None:
        """Commit, then run the hooks in order. Called by `Database.transaction`.

        A hook runs though an earlier one failed.

        Raises:
            Exception: the first that a hook raised. The commit stands.
        """
        await self.session.commit()
        failures: list[Exception] = []
        for hook in self._hooks:
            try:
                await hook()
            except Exception as error:  # noqa: BLE001 - raised below, once the others have run
                failures.append(error)
        if failures:
            raise failures[0]


async def uninterrupted(work: Coroutine[object, object, T]) -> T:
    """Let `work` end though the caller is cancelled meanwhile; the cancellation comes after it.

    A commit whose hooks were cut off would leave, say, a changed password with live sessions.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise
