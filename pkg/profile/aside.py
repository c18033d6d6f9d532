"""A thread for one piece of work.

Not `asyncio.to_thread`: its threads are shared, and when all of them hang is when one wants to see
what they are doing. Nor does anybody have to wait for such a thread at the end of the process.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def aside(name: str, work: Callable[[], T]) -> T:
    """Run it in a new daemon thread of this name; returns or raises what it does.

    A caller that is cancelled does not end the work, only the waiting for it.
    """
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()  # from now on it cannot be cancelled

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is the caller's
            outcome.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await asyncio.wrap_future(outcome)
