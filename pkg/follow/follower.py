"""Follows a source that is not always there.

What was heard last stays while the source is away. An outage is logged when it begins and when it
ends, told of once when it lasts, and ends by itself; waits between tries grow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pkg.clock import Clock, Pause, SystemClock, pause

if TYPE_CHECKING:
    from datetime import datetime

    from pkg.backoff import Backoff

T = TypeVar("T")

Watch = Callable[[], AsyncGenerator[T, None]]
"""Yields what the source says, first what it says now, then whenever it is heard of.

The same again does no harm, and tells that the source is there. Raises when it is not.
"""

_LOG: Final = logging.getLogger(__name__)


class Follower(Generic[T]):
    """A component that tells `take` of every value that differs from the one before.

    Never ends the process, and never makes it unready. All its methods belong to the loop that
    starts it, but for the properties, which any thread may read.
    """

    def __init__(
        self,
        name: str,
        watch: Watch[T],
        take: Callable[[T], Awaitable[None]],
        *,
        backoff: Backoff,
        known: T | None = None,
        patience: int = 3,
        on_failure: Callable[[Exception], None] | None = None,
        on_outage: Callable[[Exception], None] | None = None,
        clock: Clock | None = None,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare; nothing happens before `start`.

        Args:
            name: of the component, and of what is followed in the log.
            watch: begun again after each failure.
            take: told of news, one at a time. What it raises is logged, and it is not told again.
            backoff: how long to wait after so many failures in a row.
            known: what was heard before the start; `take` is not told of it.
            patience: failures in a row that make an outage worth telling of.
            on_failure: told of each failure. Must not block.
            on_outage: told once of each outage that has used up the patience. Must not block.
            clock: tells how old what is known is.
            pause: waits.
            logger: told of outages.
        """
        self.name = name
        self._watch = watch
        self._take = take
        self._backoff = backoff
        self._known = known
        self._patience = patience
        self._on_failure = on_failure
        self._on_outage = on_outage
        self._clock = clock or SystemClock()
        self._pause = pause
        self._log = logger
        self._failures = 0
        self._heard_at = self._clock.monotonic() if known is not None else None
        self._stale_since: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def heard(self) -> bool:
        """Whether anything is known."""
        return self._known is not None

    @property
    def stale_since(self) -> datetime | None:
        """When the outage began that goes on; None while the source is there."""
        return self._stale_since

    @property
    def age(self) -> float:
        """Seconds since the source was last heard of; 0 if it never was."""
        return 0.0 if self._heard_at is None else self._clock.monotonic() - self._heard_at

    @property
    def note(self) -> str:
        """What operators should know; empty while all is well."""
        since = self._stale_since
        return "" if since is None else f"stale since {since.isoformat(timespec='seconds')}"

    async def start(self) -> None:
        """Begin to follow, in the background."""
        self._task = asyncio.create_task(self._follow(), name=f"follow-{self.name}")

    async def stop(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def _follow(self) -> None:
        while True:
            try:
                async with aclosing(self._watch()) as heard:
                    async for value in heard:
                        await self._hear(value)
                raise ConnectionError("the source has ended")
            except Exception as error:  # noqa: BLE001 - any: what is known stays, and it goes on
                self._failed(error)
            await self._pause(self._backoff.wait(self._failures))

    async def _hear(self, value: T) -> None:
        self._heard_at = self._clock.monotonic()
        if self._failures:
            self._log.info("%s is followed again after %d failures", self.name, self._failures)
            self._failures, self._stale_since = 0, None
        if value == self._known:
            return
        self._known = value
        try:
            await self._take(value)
        except Exception:  # noqa: BLE001 - the next news may suit it better
            self._log.exception("news of %s could not be taken", self.name)

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._stale_since is None:
            self._stale_since = self._clock.now()
            self._log.warning(
                "%s cannot be followed, what is known stays: %s: %s",
                self.name,
                type(error).__name__,
                error,
            )
        if self._on_failure is not None:
            self._on_failure(error)
        if self._failures == self._patience and self._on_outage is not None:
            self._on_outage(error)
