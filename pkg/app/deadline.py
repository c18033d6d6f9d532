"""Waiting that ends, even for what does not obey."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable
    from datetime import timedelta

_MERCY: Final = 0.5
"""Seconds that cancelled work gets to clean up."""


class OutOfTimeError(TimeoutError):
    """Work did not end within its deadline."""

    def __init__(self, limit: timedelta, *, abandoned: bool) -> None:
        """`abandoned`: it did not even end when it was cancelled, and is still running."""
        self.abandoned = abandoned
        super().__init__(f"not done within {limit.total_seconds():g} s")


async def within(
    limit: timedelta, work: Awaitable[None], *, unless: Iterable[asyncio.Future[Any]] = ()
) -> bool:
    """Wait for `work`, at most `limit`; tells whether it ended, and raises what it raised.

    Work that is late, or that is given up because one of `unless` is done, is cancelled. Unlike
    `asyncio.timeout` this also returns when the work ignores that.

    Raises:
        OutOfTimeError: the time was up.
        RuntimeError: the work was cancelled, but not by us.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait(
            {task, *unless}, timeout=limit.total_seconds(), return_when=asyncio.FIRST_COMPLETED
        )
    except asyncio.CancelledError:
        await _cancel(task)
        raise
    if task in done:
        if task.cancelled():
            raise RuntimeError("was cancelled from within")
        task.result()
        return True
    ended = await _cancel(task)
    if done and ended:
        return False
    raise OutOfTimeError(limit, abandoned=not ended)


async def _cancel(task: asyncio.Future[None]) -> bool:
    """Cancel, and tell whether that ended it in time."""
    task.cancel()
    await asyncio.wait({task}, timeout=_MERCY)
    if task.done() and not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not complain: it was given up
    return task.done()
