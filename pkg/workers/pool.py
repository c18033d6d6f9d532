"""The workers of a supervisor, kept running.

    worker_exits_total{name}        counter: runs that nobody had asked to end

The first starts alone, since it may have to migrate and to seed; then the others, all at once. One
that ends is started again after a wait that grows with its failures in a row, up to a bound. The
others serve meanwhile: the kernel gives new connections to those that listen.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter

from pkg.alert import Alert, Alerts
from pkg.clock import Clock, Pause, pause
from pkg.workers.process import WorkerError, WorkerProcess, how

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pkg.backoff import Backoff
    from pkg.workers.ready import Ready

TOPIC: Final = "worker"
"""Of the alerts."""
STEADY: Final = timedelta(minutes=1)
"""A worker that has served for longer has worked: its next failure is the first again."""
_LOG: Final = logging.getLogger(__name__)


class _Place:
    """Where one worker is, whichever run of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: WorkerProcess | None = None
        self.ready: Ready | None = None
        """Of the run that serves."""
        self.failures = 0
        """In a row."""
        self.keeping: asyncio.Task[None] | None = None


class Workers:
    """A component: it has started when all workers serve."""

    name = "workers"

    def __init__(
        self,
        count: int,
        command: Callable[[str], Sequence[str]],
        *,
        start_timeout: timedelta,
        backoff: Backoff,
        clock: Clock,
        alerts: Alerts,
        registry: CollectorRegistry,
        on_exit: Callable[[str], None] = lambda _: None,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            count: how many; their names are the numbers from 0.
            command: the command line of the worker of a name; asked at each run.
            start_timeout: for one worker to serve.
            backoff: how long to wait after so many failures.
            clock: measures how long a worker has served.
            alerts: told of every run that nobody had asked to end.
            registry: for the metrics.
            on_exit: told the name of a worker whose process has ended, whatever the reason.
            pause: waits.
            logger: told of every start and end.
        """
        self._places = tuple(_Place(str(number)) for number in range(count))
        self._command = command
        self._start_timeout = start_timeout.total_seconds()
        self._backoff = backoff
        self._clock = clock
        self._alerts = alerts
        self._exits = Counter(
            "worker_exits", "Runs that nobody had asked to end.", ("name",), registry=registry
        )
        for place in self._places:
            self._exits.labels(place.name)
        self._on_exit = on_exit
        self._pause = pause
        self._log = logger
        self._asked = False
        self.first: Ready | None = None
        """What the first worker said when it had started."""

    @property
    def serving(self) -> Mapping[str, Ready]:
        """Name -> what it said, of those that serve."""
        return {place.name: place.ready for place in self._places if place.ready is not None}

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of those that are being started again."""
        return tuple(place.name for place in self._places if place.ready is None)

    async def start(self) -> None:
        """Start them all.

        Raises:
            WorkerError: one did not; none runs then.
        """
        first, *others = self._places
        try:
            await self._begin(first)
            self.first = first.ready
            async with asyncio.TaskGroup() as starting:
                for place in others:
                    starting.create_task(self._begin(place))
        except BaseException as error:
            await self._kill()
            if isinstance(error, BaseExceptionGroup):
                raise error.exceptions[0] from None
            raise
        for place in self._places:
            place.keeping = asyncio.create_task(self._keep(place), name=f"worker-{place.name}")

    async def drain(self) -> None:
        """Ask them all to stop, and start none again. They drain as they are told to."""
        keeping = {place.keeping for place in self._places if place.keeping is not None}
        for task in keeping:
            task.cancel()
        if keeping:
            await asyncio.wait(keeping)
        self._asked = True
        for place in self._places:
            if place.process is not None:
                place.process.ask()

    async def stop(self) -> None:
        """Ask them to stop, and wait until they have. When the time is up they are killed.

        Raises:
            WorkerError: not all ended as they should.
        """
        try:
            if not self._asked:
                await self.drain()
            told = await asyncio.gather(*(self._end(place) for place in self._places))
        except asyncio.CancelledError:
            await self._kill()
            raise
        bad = [what for what in told if what]
        if bad:
            raise WorkerError(", ".join(bad))

    async def _end(self, place: _Place) -> str:
        """Wait for the end of a worker that was asked; what was wrong with it, if anything."""
        if place.process is None:
            return ""
        code = await place.process.wait()
        place.process = place.ready = None
        return f"worker {place.name} {how(code)}" if code else ""

    async def _begin(self, place: _Place) -> None:
        """Start a worker; return when it serves, or leave nothing of it."""
        process = await WorkerProcess.spawn(place.name, self._command(place.name))
        place.process = process
        try:
            async with asyncio.timeout(self._start_timeout):
                place.ready = await process.ready()
        except BaseException as error:
            place.process = None
            await process.kill()
            self._on_exit(place.name)
            if isinstance(error, TimeoutError):
                told = f"worker {place.name} does not serve after {self._start_timeout:g} s"
                raise WorkerError(told) from None
            raise
        self._log.info("worker %s serves", place.name, extra={"worker_pid": process.pid})

    async def _keep(self, place: _Place) -> None:
        """Start a worker again whenever it ends."""
        while True:
            began = self._clock.monotonic()
            if place.process is not None:
                code = await place.process.wait()
                place.process = place.ready = None
                self._on_exit(place.name)
                if self._clock.monotonic() - began > STEADY.total_seconds():
                    place.failures = 0
                await self._wait(place, f"worker {place.name} {how(code)}")
            try:
                await self._begin(place)
            except WorkerError as error:
                await self._wait(place, str(error))

    async def _wait(self, place: _Place, what: str) -> None:
        """Tell of a failure, and wait before the next try."""
        place.failures += 1
        wait = self._backoff.wait(place.failures)
        self._exits.labels(place.name).inc()
        self._log.error("%s, and is started again in %.1f s", what, wait.total_seconds())
        self._alerts.send(Alert(topic=TOPIC, title=f"worker {place.name} ended", detail=what))
        await self._pause(wait)

    async def _kill(self) -> None:
        running = [place.process for place in self._places if place.process is not None]
        await asyncio.gather(*(process.kill() for process in running))
        for place in self._places:
            place.process = place.ready = None
