"""Blocking work off the event loop, without leaving any of it behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do blocking work in a thread.

    Unlike with `asyncio.to_thread`, the work is over when this returns or raises: a thread cannot
    be cancelled, so a cancellation waits for it. Whoever cleans up then does so after it.
    """
    step = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        await asyncio.wait({step})
    except asyncio.CancelledError:
        await asyncio.wait({step})
        if not step.cancelled():
            step.exception()  # seen: the cancellation is what is told
        raise
    return step.result()
