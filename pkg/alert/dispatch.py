"""Sends letters, and tries again what may go later.

Each letter has waits of its own, which grow; a breaker around the mail server keeps all of them
from trying while it is away. A letter that is older than `keep` is given up.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Literal

from pkg.alert.outbox import Outbox, Pending
from pkg.backoff import Backoff
from pkg.breaker import CircuitBreaker
from pkg.email.errors import MailDeferredError, MailRefusedError, MailServerError, Refusal

if TYPE_CHECKING:
    import logging
    import threading
    from collections.abc import Callable

    from pkg.alert.letter import Letter
    from pkg.alert.metrics import AlertMetrics
    from pkg.alert.settings import AlertSettings
    from pkg.alert.writer import Writer
    from pkg.backoff import Chance
    from pkg.breaker import BreakerMetrics
    from pkg.clock import Clock
    from pkg.email import Mail, Mailer, Sender

Reason = Literal["refused", "expired", "stopped", "broken"]


class Dispatch:
    """The way to the mail server. Its own state is guarded by the lock that it is handed."""

    def __init__(
        self,
        mailer: Mailer,
        settings: AlertSettings,
        writer: Writer,
        *,
        clock: Clock,
        chance: Chance,
        lock: threading.RLock,
        metrics: AlertMetrics,
        breakers: BreakerMetrics | None,
        logger: logging.Logger,
    ) -> None:
        self._mailer = mailer
        self._writer = writer
        self._clock = clock
        self._lock = lock
        self._metrics = metrics
        self._log = logger
        self._keep = settings.keep.total_seconds()
        self._backoff = Backoff(settings.retry, chance)
        self._breaker = CircuitBreaker(
            "mail",
            settings.breaker,
            clock=clock,
            is_failure=lambda error: isinstance(error, MailServerError),
            metrics=breakers,
        )
        self._outbox = Outbox(settings)
        self._last = False
        self._away = False

    @property
    def has_room(self) -> bool:
        """Whether another alert may wait here."""
        return self._outbox.has_room

    @property
    def alerts(self) -> int:
        """How many alerts wait here."""
        return self._outbox.alerts

    @property
    def has_due(self) -> bool:
        """Whether a letter may be tried now."""
        return self._due() is not None

    @property
    def next_at(self) -> float | None:
        """When the next letter may be tried (monotonic); None if none waits."""
        at = self._outbox.next_at
        return None if at is None else max(at, self._clock.monotonic() + self._breaker.retry_after)

    def add(self, letter: Letter) -> None:
        """Let a letter wait for `run`."""
        self._outbox.add(letter, self._clock.monotonic())

    def last_tries(self) -> None:
        """From now on try each letter at once, and only once."""
        self._last = True
        for each in self._outbox.letters:
            each.not_before = 0.0

    def give_up(self) -> int:
        """Drop what waits; returns how many alerts that are."""
        left = self._outbox.letters
        for each in left:
            self._drop(each, "stopped")
        return sum(each.alerts for each in left)

    async def run(self, between: Callable[[], None]) -> None:
        """Send what is due. Calls `between` after each, to have more."""
        if self._due() is None:
            return
        async with self._mailer.batch() as batch:
            while (pending := self._due()) is not None:
                await self._try(batch, pending)
                between()

    def _due(self) -> Pending | None:
        with self._lock:
            if self._breaker.retry_after > 0:
                return None
            return self._outbox.due(self._clock.monotonic())

    async def _try(self, batch: Sender, pending: Pending) -> None:
        """Send one letter, and see to it that it is not due any more."""
        topic = pending.letter.topic.name
        try:
            if pending.mail is None:
                pending.mail = await asyncio.to_thread(self._writer.mail, pending.letter)
            with self._breaker.guard():
                refusals = await batch.send(pending.mail)
        except MailServerError as error:
            self._count(topic, "away")
            if not self._away:
                self._log.warning("alerts wait, no mail can be sent: %s", error)
            self._away = True
            self._later(pending)
        except MailDeferredError as error:
            self._count(topic, "deferred")
            self._log.info("an alert's mail waits: %s", error)
            self._later(pending)
        except MailRefusedError as error:
            self._count(topic, "refused")
            self._log.error("an alert's mail was refused: %s", error)
            self._drop(pending, "refused")
        except Exception:  # noqa: BLE001 - a mail that cannot be written must not keep others back
            self._log.exception("an alert could not be mailed")
            self._drop(pending, "broken")
        else:
            self._count(topic, "sent")
            if self._away:
                self._log.info("mails can be sent again")
            self._away = False
            self._went(pending, pending.mail, refusals)

    def _went(self, pending: Pending, mail: Mail, refusals: tuple[Refusal, ...]) -> None:
        """Count it, and keep it for those recipients who may have it later."""
        self._metrics.mailed.labels(pending.letter.topic.name).inc(pending.alerts)
        if refusals:
            names = ", ".join(f"{each.recipient} ({each.code})" for each in refusals)
            self._log.warning("an alert's mail went, but not to %s", names)
        later = tuple(each.recipient for each in refusals if each.temporary)
        with self._lock:
            if not later:
                self._outbox.remove(pending)
                return
            pending.alerts = 0
            pending.mail = dataclasses.replace(mail, to=later)
            self._later(pending)

    def _later(self, pending: Pending) -> None:
        now = self._clock.monotonic()
        pending.failures += 1
        wait = self._backoff.wait(pending.failures).total_seconds()
        if self._last:
            self._drop(pending, "stopped")
        elif now + wait - pending.since > self._keep:
            self._drop(pending, "expired")
        else:
            pending.not_before = now + wait

    def _drop(self, pending: Pending, reason: Reason) -> None:
        with self._lock:
            self._outbox.remove(pending)
            self._metrics.dropped.labels(pending.letter.topic.name, reason).inc(pending.alerts)

    def _count(self, topic: str, outcome: str) -> None:
        self._metrics.mails.labels(topic, outcome).inc()
