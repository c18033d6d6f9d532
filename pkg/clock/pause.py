"""Waiting as a dependency: whoever has to let time pass is handed a `Pause`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

Pause = Callable[["timedelta"], Awaitable[None]]
"""Returns when the time has passed."""


async def pause(time: timedelta) -> None:
    """Let time pass on the event loop."""
    await asyncio.sleep(time.total_seconds())
