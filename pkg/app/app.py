"""The life of a process: start in order, run, stop in reverse.

Guarantees: a component starts when those before it have; if one fails, those before it are stopped
and the error says which it was and why. At the end readiness goes first, then the `before_stop`
hooks, then the drain delay passes, then components stop in reverse, each within its deadline,
whether or not the one before managed to.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.app.component import Component, Watched
from pkg.app.deadline import OutOfTimeError, within
from pkg.app.errors import AppError, ComponentError, StartError, StopError, describe
from pkg.app.health import Health, Phase
from pkg.app.hooks import Hook, Hooks
from pkg.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

_LOG: Final = logging.getLogger(__name__)
_WATCH_END: Final = 0.5
"""Seconds for a cancelled watch to end."""


class App:
    """A service that can be run once."""

    def __init__(
        self,
        name: str,
        version: str,
        components: Sequence[Component],
        *,
        clock: Clock | None = None,
        start_timeout: timedelta = timedelta(seconds=30),
        stop_timeout: timedelta = timedelta(seconds=15),
        drain_delay: timedelta = timedelta(0),
        hooks: Hooks | None = None,
        health: Health | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Put the parts together; nothing happens before `run`.

        Args:
            name: of the service.
            version: of the service.
            components: in the order in which they start.
            clock: measures durations for the log.
            start_timeout: for each component and hook to start.
            stop_timeout: for each component and hook to stop.
            drain_delay: how long the process works on, not ready, before it stops.
            hooks: what else is to be done around start and stop.
            health: told the phases; made from `components` if none is given. One that exists
                already serves a component (the admin port) that is itself part of the app.
            logger: told what happens.

        Raises:
            ValueError: two components have the same name.
        """
        names = [component.name for component in components]
        if len(set(names)) != len(names):
            raise ValueError(f"{name}: components must have different names: {', '.join(names)}")
        self.name = name
        self.version = version
        self._components = tuple(components)
        self._clock = clock or SystemClock()
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._drain_delay = drain_delay
        self._hooks = hooks or Hooks()
        self.health = health or Health(components, clock=self._clock)
        self._log = logger
        self._stop = asyncio.Event()
        self._started: list[Component] = []
        self._watches: dict[asyncio.Task[None], str] = {}
        self.abandoned: list[str] = []
        """Components and hooks that ignored their cancellation, and still run."""

    def stop(self) -> None:
        """Ask the app to stop; `run` returns when it has. To be called in the app's loop."""
        self._stop.set()

    async def run(self) -> None:
        """Start, run until `stop` is called or a component ends, and stop.

        A `stop` during the start gives the start up, which is no error.

        Raises:
            StartError: a component or hook did not start. All that had started has been stopped.
            ComponentError: a component ended by itself. All has been stopped.
            StopError: not everything stopped as it should.
        """
        stopping = asyncio.create_task(self._stop.wait(), name="stop-asked")
        error: AppError | None = None
        try:
            error = await self._live(stopping)
        finally:
            self.health.phase = Phase.DRAINING
            failed = await self._wind_down(stopping)
            self.health.phase = Phase.STOPPED
            stopping.cancel()
        if error is not None:
            raise error
        if failed:
            raise StopError(failed[0], "did not stop as it should")

    async def _live(self, stopping: asyncio.Task[bool]) -> AppError | None:
        """From the first start to the reason to stop: an error, or None if it was asked for."""
        began = self._clock.monotonic()
        try:
            for hook in self._hooks.before_start:
                if not await self._begin(_named(hook), hook(), stopping):
                    return None
            for component in self._components:
                if not await self._begin(component.name, component.start(), stopping):
                    return None
                self._started.append(component)
                if isinstance(component, Watched):
                    watch = asyncio.ensure_future(component.wait())
                    self._watches[watch] = component.name
            self.health.phase = Phase.RUNNING
            for hook in self._hooks.after_start:
                if not await self._begin(_named(hook), hook(), stopping):
                    return None
        except AppError as error:
            return error
        self._log.info(
            "started",
            extra={
                "components": [component.name for component in self._started],
                "seconds": round(self._clock.monotonic() - began, 3),
            },
        )
        await asyncio.wait({stopping, *self._watches}, return_when=asyncio.FIRST_COMPLETED)
        return self._casualty()

    async def _begin(self, name: str, work: Awaitable[None], stopping: asyncio.Task[bool]) -> bool:
        """Run one step of the start; False if it was given up because a stop was asked for."""
        began = self._clock.monotonic()
        try:
            done = await within(self._start_timeout, work, unless=(stopping, *self._watches))
        except Exception as error:
            self._note_abandoned(name, error)
            raise StartError(name, f"did not start: {describe(error)}") from error
        casualty = self._casualty()
        if casualty is not None:
            raise casualty
        seconds = round(self._clock.monotonic() - began, 3)
        self._log.debug("%s started", name, extra={"seconds": seconds})
        return done and not stopping.done()

    def _casualty(self) -> ComponentError | None:
        """The component that ended by itself, if one did."""
        for watch, name in self._watches.items():
            if watch.done():
                cause = None if watch.cancelled() else watch.exception()
                why = "without an error" if cause is None else describe(cause)
                error = ComponentError(name, f"ended by itself: {why}")
                error.__cause__ = cause
                return error
        return None

    async def _wind_down(self, stopping: asyncio.Task[bool]) -> list[str]:
        """Stop all that started; returns the names of what did not stop as it should."""
        self._log.info("stopping", extra={"asked": stopping.done()})
        await self._end_watches()
        failed: list[str] = []
        if len(self._started) == len(self._components):  # it has, or could have, been sent work
            for hook in self._hooks.before_stop:
                failed += await self._end(_named(hook), hook())
            if stopping.done():
                await asyncio.sleep(self._drain_delay.total_seconds())
        for component in reversed(self._started):
            failed += await self._end(component.name, component.stop())
        for hook in self._hooks.after_stop:
            failed += await self._end(_named(hook), hook())
        self._log.info("stopped", extra={"failed": failed})
        return failed

    async def _end_watches(self) -> None:
        """Watch no more; what ends from now on does so because it is told to."""
        for watch in self._watches:
            watch.cancel()
        if self._watches:
            await asyncio.wait(self._watches, timeout=_WATCH_END)
        for watch in self._watches:
            if watch.done() and not watch.cancelled():
                watch.exception()  # retrieved: only the first one to end is told

    async def _end(self, name: str, work: Awaitable[None]) -> list[str]:
        try:
            await within(self._stop_timeout, work)
        except Exception as error:  # noqa: BLE001 - the others must stop all the same
            self._note_abandoned(name, error)
            self._log.error("%s did not stop: %s", name, describe(error), exc_info=error)
            return [name]
        return []

    def _note_abandoned(self, name: str, error: Exception) -> None:
        if isinstance(error, OutOfTimeError) and error.abandoned:
            self.abandoned.append(name)


def _named(hook: Hook) -> str:
    return f"hook {getattr(hook, '__name__', type(hook).__name__)}"
