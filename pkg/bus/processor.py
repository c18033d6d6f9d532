"""Consumes one topic as a member of a group.

Guarantees:
- Messages of a partition are handled in order, or those of a key where there are several lanes.
- Nothing is committed before it is handled, or lies on the dead-letter topic. So each message is
  handled at least once, and more than once only after a crash, a lost partition, or a stop that
  had to cancel a handler. `pkg.outbox.Inbox` makes that once.
- A message that fails is tried again in its place, with growing waits; the others of its partition
  wait behind it, other partitions do not.
- A partition that goes to another member is finished or given up first, and what is done is
  committed. A stop does the same for all, within the drain time.
- When the bus fails, the processor says so in `check`, alerts, and begins again by itself.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.alert import Alert
from pkg.app import Supervised
from pkg.bus.assignment import Assignment
from pkg.bus.errors import UnavailableError
from pkg.bus.tasks import first

if TYPE_CHECKING:
    from pkg.alert import Alerts
    from pkg.backoff import Backoff
    from pkg.bus.attempts import Attempts
    from pkg.bus.metrics import ConsumerMetrics
    from pkg.bus.ports import Source, Sources
    from pkg.bus.settings import SubscriptionSettings
    from pkg.clock import Clock, Pause

_LOG: Final = logging.getLogger(__name__)
_POLL: Final = timedelta(milliseconds=250)
"""How long to wait for messages at a time."""
_STEADY: Final = timedelta(minutes=1)


class Processor:
    """A subscription, as a component. Starts though the bus is away."""

    def __init__(
        self,
        subscription: SubscriptionSettings,
        attempts: Attempts,
        *,
        sources: Sources,
        backoff: Backoff,
        metrics: ConsumerMetrics,
        alerts: Alerts,
        clock: Clock,
        pause: Pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            subscription: what is consumed, and how.
            attempts: what is done with a message.
            sources: makes a member of the group, each time that the bus is back.
            backoff: before the bus is tried again.
            metrics: of all subscriptions.
            alerts: told when an outage begins, as topic `kafka`.
            clock: measures for how long it went well.
            pause: waits.
            logger: told what happens.
        """
        self._subscription = subscription
        self._attempts = attempts
        self._sources = sources
        self._metrics = metrics
        self._alerts = alerts
        self._pause = pause
        self._log = logger
        self._work: Assignment | None = None
        self._held = False
        self._stopping = asyncio.Event()
        self._trouble = "has not joined its group yet"
        self._alerted = False
        self._job = Supervised(
            self.name,
            self._serve,
            backoff=backoff,
            steady=_STEADY,
            on_failure=self._ill,
            clock=clock,
            pause=pause,
            logger=logger,
        )

    @property
    def name(self) -> str:
        """What it is called."""
        return f"bus:{self._subscription.topic}:{self._subscription.group}"

    async def start(self) -> None:
        """Begin to join the group, in the background."""
        await self._job.start()

    async def stop(self) -> None:
        """Finish what is in hand, within the drain time, commit, and leave the group."""
        self._stopping.set()
        await self._job.stop()

    async def check(self) -> None:
        """Return while it is a member of its group, and the bus answers.

        Raises:
            UnavailableError: it is not; says why.
        """
        if self._trouble:
            raise UnavailableError(self._trouble)

    @property
    def waiting(self) -> int:
        """How many messages it has read and is not done with."""
        return self._work.backlog if self._work is not None else 0

    def hold(self) -> None:
        """Begin no further messages until `go_on`; the membership and its partitions are kept."""
        self._set_held(True)

    def go_on(self) -> None:
        """End a `hold`."""
        self._set_held(False)

    def _set_held(self, held: bool) -> None:
        self._held = held
        if self._work is not None:
            self._work.hold(held)

    async def _serve(self) -> None:
        """Be a member until the bus fails, or the processor is to stop."""
        topic, group = self._subscription.topic, self._subscription.group
        source = self._sources(topic, group)
        work = Assignment(
            source,
            self._subscription,
            self._attempts.handle,
            metrics=self._metrics,
            logger=self._log,
        )
        work.hold(self._held)
        self._work = work
        try:
            await source.open(work)
            self._well()
            await first(
                self._stopping.wait(),
                self._poll(source, work),
                self._commit(work),
                self._measure(source),
                work.failure(),
            )
        finally:
            self._work = None
            try:
                await work.finish()
            finally:
                await source.close()

    async def _poll(self, source: Source, work: Assignment) -> None:
        while True:
            work.add(await source.poll(_POLL, self._subscription.prefetch))
            work.throttle()

    async def _commit(self, work: Assignment) -> None:
        every = self._subscription.commit_every
        while True:
            await work.dirty.wait()
            work.dirty.clear()
            try:
                await work.commit()
            except UnavailableError as error:
                self._ill(error)
                work.dirty.set()
            await self._pause(every)

    async def _measure(self, source: Source) -> None:
        while True:
            try:
                self._metrics.lag(self._subscription.group, await source.lag())
            except UnavailableError as error:
                self._ill(error)
            else:
                self._well()
            await self._pause(self._subscription.lag_every)

    def _ill(self, error: Exception) -> None:
        self._trouble = f"{type(error).__name__}: {error}"
        if self._alerted:
            return
        self._alerted = True
        self._log.warning("%s: the bus fails: %s", self.name, self._trouble)
        title = f"{self.name} cannot consume"
        self._alerts.send(Alert(topic="kafka", title=title, detail=self._trouble))

    def _well(self) -> None:
        if self._alerted:
            self._log.info("%s: the bus is back", self.name)
        self._trouble = ""
        self._alerted = False
