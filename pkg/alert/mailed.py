"""Alerts by mail, off the path of whoever sends them.

`send` costs a lock and a count; a worker on the event loop of `start` does the rest. What is mailed
at once and what in a sum, `Desk` decides; how often a mail is tried, `Dispatch`. Every kind of
alert is also logged, once a window; repeats are logged as a number. Alerts that come before the
start wait for it.

Mail that does not go says nothing of the service's health, so there is no check for readiness:
watch `alerts_dropped_total` and `breaker_state`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry

from pkg.alert.desk import Desk
from pkg.alert.dispatch import Dispatch
from pkg.alert.log import LoggedAlerts
from pkg.alert.metrics import AlertMetrics
from pkg.clock import pause

if TYPE_CHECKING:
    from pkg.alert.alert import Alert
    from pkg.alert.letter import Letter
    from pkg.alert.settings import AlertSettings
    from pkg.alert.writer import Writer
    from pkg.backoff import Chance
    from pkg.breaker import BreakerMetrics
    from pkg.clock import Clock, Pause
    from pkg.email import Mailer

_LOG: Final = logging.getLogger(__name__)
_AFTER_DEFECT: Final = timedelta(seconds=10)


class MailedAlerts:
    """`Alerts` that are logged, and mailed to whom they concern. A component of `pkg.app`."""

    def __init__(
        self,
        mailer: Mailer,
        settings: AlertSettings,
        writer: Writer,
        *,
        clock: Clock,
        chance: Chance,
        pause: Pause = pause,
        registry: CollectorRegistry | None = None,
        breakers: BreakerMetrics | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Take alerts from now on; they are mailed after `start`.

        Args:
            mailer: sends mails on the event loop that will call `start`.
            settings: topics and limits.
            writer: makes mails of alerts.
            clock: its monotonic time, and its day for the cap.
            chance: spreads the waits between tries.
            pause: waits.
            registry: where the series are registered.
            breakers: shows the breaker around the mailer.
            logger: is told of every kind of alert, and of mails that do not go.

        Raises:
            ValueError: there are no topics.
        """
        if not settings.topics:
            raise ValueError("alerts are mailed by topic, and there is none")
        self.name = "alerts"
        self._settings = settings
        self._clock = clock
        self._pause = pause
        self._log = logger
        self._logged = LoggedAlerts(logger)
        self._desks = {each.name: Desk(each, settings, clock) for each in settings.topics}
        metrics = AlertMetrics(registry or CollectorRegistry())
        self._metrics = metrics
        self._taken = {name: metrics.taken.labels(name) for name in self._desks}
        # A finalizer may send an alert in the middle of `send`, on the same thread.
        self._lock = threading.RLock()
        self._dispatch = Dispatch(
            mailer,
            settings,
            writer,
            clock=clock,
            chance=chance,
            lock=self._lock,
            metrics=metrics,
            breakers=breakers,
            logger=logger,
        )
        metrics.waiting.set_function(self._waiting)
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def send(self, alert: Alert) -> None:
        """Take an alert."""
        try:
            is_news = self._take(alert)
        except Exception:  # noqa: BLE001 - whoever is in trouble already gets no more of it
            self._metrics.dropped.labels(self._settings.default_topic, "broken").inc()
            return
        if is_news:
            self._wake()
            with suppress(Exception):  # of a handler of the log: the same
                self._logged.send(alert)

    async def start(self) -> None:
        """Begin to mail. Does not wait for the mail server, which may be away."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def stop(self) -> None:
        """Take no more, try once what waits, within the `stop_timeout`, and count the rest."""
        with self._lock:
            self._stopping = True
        self._collect(at_once=True)
        self._dispatch.last_tries()
        self._news.set()
        task, self._task = self._task, None
        try:
            if task is not None:
                await asyncio.wait({task}, timeout=self._settings.stop_timeout.total_seconds())
        finally:
            self._loop = None
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
            self._give_up()

    def _take(self, alert: Alert) -> bool:
        """Put it where it belongs, and tell whether it is news."""
        topic = alert.topic if alert.topic in self._desks else self._settings.default_topic
        self._taken[topic].inc()
        with self._lock:
            if self._stopping:
                self._metrics.dropped.labels(topic, "stopped").inc()
                return True
            letter, is_news = self._desks[topic].take(alert, room=self._dispatch.has_room)
            if letter is not None:
                self._dispatch.add(letter)
        return is_news

    def _wake(self) -> None:
        """Let the worker look: something is to be sent, or a window has opened."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has been closed meanwhile
                loop.call_soon_threadsafe(self._news.set)

    def _waiting(self) -> float:
        with self._lock:
            return self._dispatch.alerts + sum(desk.waiting for desk in self._desks.values())

    async def _work(self) -> None:
        while not self._stopping or self._dispatch.has_due:
            try:
                self._news.clear()
                self._collect()
                await self._dispatch.run(self._collect)
                if not self._stopping:
                    await self._wait()
            except Exception:  # noqa: BLE001 - whatever it is, later alerts must go
                self._log.exception("alerts could not be mailed, and are tried again later")
                await self._pause(_AFTER_DEFECT)

    def _collect(self, *, at_once: bool = False) -> None:
        """Put sums that are due among what is to be sent."""
        letters: list[Letter] = []
        with self._lock:
            for desk in self._desks.values():
                if not (at_once or self._dispatch.has_room):
                    break
                letter = desk.summed_up(at_once=at_once)
                if letter is not None:
                    self._dispatch.add(letter)
                    letters.append(letter)
        for each in letters:
            self._log.warning("%s: %d alerts were held back", each.topic.name, each.alerts)

    async def _wait(self) -> None:
        """Return when there may be something to do."""
        with self._lock:
            ends = [desk.window_ends for desk in self._desks.values()]
            at = [self._dispatch.next_at, *(ends if self._dispatch.has_room else ())]
            next_at = min((each for each in at if each is not None), default=None)
        waits: set[asyncio.Future[Any]] = {asyncio.ensure_future(self._news.wait())}
        if next_at is not None:
            left = timedelta(seconds=max(0.0, next_at - self._clock.monotonic()))
            waits.add(asyncio.ensure_future(self._pause(left)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.wait(waits)

    def _give_up(self) -> None:
        """Count what no mail will tell of."""
        with self._lock:
            left = self._dispatch.give_up()
            for desk in self._desks.values():
                if desk.waiting:
                    self._metrics.dropped.labels(desk.topic.name, "stopped").inc(desk.waiting)
                    left, desk.waiting = left + desk.waiting, 0
        if left:
            self._log.warning("stopped before %d alerts could be mailed", left)
