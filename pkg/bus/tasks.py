"""Waiting for the first of several things, and ending tasks for sure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

_AGAIN: Final = 0.5
"""Seconds."""


async def first(*waits: Awaitable[Any]) -> None:
    """Return when one of these has ended; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(tasks)
    for task in done:
        task.result()


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks, and return when they have ended.

    They are cancelled again and again: up to Python 3.11 `asyncio.wait_for`, which clients of
    servers use deep within, forgets a cancellation that comes as what it waits for is done.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN)
