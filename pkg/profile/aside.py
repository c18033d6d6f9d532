"""A thread for one piece of work.

Not `asyncio.to_thread`: its threads are shared, and when all of them hang is when one wants to see
what they are doing. Nor does anybody have to wait for such a thread at the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def aside(name: str, work: Callable[[], T]) -> T:
    """Run it in a new daemon thread of this name; returns or raises what it does.

    A caller that is cancelled does not end the work, only the waiting for it.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()

    def settle(error: Exception | None, results: tuple[T, ...]) -> None:
        if ended.done():  # cancelled
            return
        if error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(results[0])

    def run() -> None:
        failure: Exception | None = None
        results: tuple[T, ...] = ()
        try:
            results = (work(),)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            failure = error
        with contextlib.suppress(RuntimeError):  # nobody waited, and the loop is closed
            loop.call_soon_threadsafe(settle, failure, results)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await ended
