"""Keeps an engine's policies current."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.rbac.outage import Outage

if TYPE_CHECKING:
    from pkg.rbac.engine import PolicyEngine
    from pkg.rbac.notifier import PolicyNotifier

Pause = Callable[[timedelta], Awaitable[None]]
"""Returns when the time has passed."""

_LOG: Final = logging.getLogger(__name__)


async def _sleep(time: timedelta) -> None:
    await asyncio.sleep(time.total_seconds())


class PolicyWatch:
    """A component of `pkg.app`: follows notifications, and polls the version in case they get lost.

    Outages of either are survived, logged once, and not hammered at. A notification is only a
    reason to read the version: whoever can publish cannot make an engine load needlessly.
    """

    def __init__(
        self,
        engine: PolicyEngine,
        notifier: PolicyNotifier,
        version: Callable[[], Awaitable[int]],
        *,
        poll: timedelta = timedelta(seconds=1),
        longest_pause: timedelta = timedelta(seconds=10),
        pause: Pause = _sleep,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare; everything handed in belongs to the loop that will call `start`.

        Args:
            engine: kept current. Its `load` belongs to that loop too.
            notifier: to be subscribed to.
            version: reads the version of the policies, much cheaper than loading them.
            poll: between two readings of the version.
            longest_pause: between two tries in an outage. Well below the engine's `max_stale`.
            pause: waits.
            logger: told of outages.
        """
        self._engine = engine
        self._notifier = notifier
        self._version = version
        self._pause = pause
        self._reading = Outage(
            "the policies cannot be read", pause=poll, longest=longest_pause, logger=logger
        )
        self._hearing = Outage(
            "changes of policies are found by polling only, notifications fail",
            pause=poll,
            longest=longest_pause,
            logger=logger,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """What it is called."""
        return "policies"

    async def start(self) -> None:
        """Load the policies, and begin to follow them.

        Raises:
            Exception: why they cannot be loaded.
        """
        try:
            await self._engine.reload()
        except BaseException:
            await self._engine.close()
            raise
        self._tasks = {
            asyncio.create_task(self._poll(), name="policies-poll"),
            asyncio.create_task(self._listen(), name="policies-listen"),
        }

    async def stop(self) -> None:
        """Follow them no more, at once. The engine decides by what it has until that is stale."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._engine.close()

    async def check(self) -> None:
        """Return while the policies can be relied on.

        Raises:
            StalePoliciesError: everything is denied.
        """
        self._engine.check()

    async def _poll(self) -> None:
        while True:
            await self._pause(self._reading.pause)
            await self._reconcile()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._notifier.subscribe() as versions:
                    self._hearing.over()
                    async for version in versions:
                        if version != self._engine.version:
                            await self._reconcile()
                raise ConnectionError("the subscription has ended")
            except Exception as error:  # noqa: BLE001 - any: polling goes on in its place
                self._hearing.failed(error)
            await self._pause(self._hearing.pause)

    async def _reconcile(self) -> None:
        try:
            await self._engine.reconcile(self._version)
        except Exception as error:  # noqa: BLE001 - any: tried again, and denied when stale
            self._reading.failed(error)
        else:
            self._reading.over()
