"""What is done while a client listens, and for no longer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from pkg.http.body import ClientGone

if TYPE_CHECKING:
    from types import TracebackType

    from pkg.http.asgi import Receive


class WhileThere:
    """Around a block of the current task, which is cancelled when the client leaves.

    Raises:
        ClientGone: in the place of that cancellation. Any other goes through.
    """

    def __init__(self, receive: Receive) -> None:
        """`receive`: of a request whose body has been read, or is to be dropped."""
        self._receive = receive
        self._gone = False

    async def __aenter__(self) -> Self:
        task: Any = asyncio.current_task()  # there is one, where something is awaited
        self._task, self._cancelling = task, task.cancelling()
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Taken before anything is awaited: who leaves from now on has had the whole answer.
        gone = self._gone
        self._watching.cancel()
        await asyncio.wait((self._watching,))
        if gone and self._task.uncancel() <= self._cancelling:
            raise ClientGone from error

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
