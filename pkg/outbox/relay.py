"""Sends what lies in the outbox.

Each message is sent at least once, and those with the same topic and key in order; twice only if a
relay dies or is stopped between the sending and the deletion. What the bus will never take stays in
the table with the reason, and is alerted.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.alert import Alert
from pkg.app import Supervised
from pkg.backoff import Backoff
from pkg.bus import MESSAGE_ID, DeliveryError, UnavailableError
from pkg.bus.tasks import first
from pkg.clock import Pause, pause
from pkg.outbox.claims import Claims
from pkg.outbox.outbox import message_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from sqlalchemy import Row, Table

    from pkg.alert import Alerts
    from pkg.backoff import Chance
    from pkg.bus import Producer
    from pkg.clock import Clock
    from pkg.database import Database
    from pkg.outbox.metrics import RelayMetrics
    from pkg.outbox.settings import OutboxSettings
    from pkg.tokens import Tokens

_LOG: Final = logging.getLogger(__name__)
_STEADY: Final = timedelta(minutes=1)
_MEASURE: Final = 5.0
"""Seconds between two looks at how much waits."""
_RELEASE: Final = 2.0
"""Seconds for giving back what was taken, at the stop."""


class Relay:
    """A component. Belongs to the event loop of its database and its producer."""

    name = "outbox-relay"

    def __init__(
        self,
        database: Database,
        table: Table,
        producer: Producer,
        settings: OutboxSettings,
        *,
        metrics: RelayMetrics,
        alerts: Alerts,
        clock: Clock,
        tokens: Tokens,
        chance: Chance,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            database: has the table.
            table: as `outbox_table` makes it.
            producer: delivers.
            settings: how often, and how much at a time.
            metrics: of this relay.
            alerts: told of an outage when it begins, and of what is refused, as topic `kafka`.
            clock: tells when leases end.
            tokens: make the relay's name.
            chance: spreads waits.
            pause: waits.
            logger: told what happens.
        """
        self._producer = producer
        self._settings = settings
        self._metrics = metrics
        self._alerts = alerts
        self._clock = clock
        self._pause = pause
        self._log = logger
        self._claims = Claims(
            database, table, relay=tokens.hex(16), lease=settings.lease, clock=clock
        )
        self._nudged = asyncio.Event()
        self._stopping = asyncio.Event()
        self._trouble = ""
        self._measured: float | None = None
        self._job = Supervised(
            self.name,
            self._work,
            backoff=Backoff(settings.backoff, chance),
            steady=_STEADY,
            on_failure=self._ill,
            clock=clock,
            pause=pause,
            logger=logger,
        )

    async def start(self) -> None:
        """Begin to send, in the background."""
        await self._job.start()

    async def stop(self) -> None:
        """Send no more. What was being sent is given back, and may be sent twice."""
        self._stopping.set()
        await self._job.stop()

    async def check(self) -> None:
        """Return while messages are sent.

        Raises:
            UnavailableError: they are not, but wait in the table; says why.
        """
        if self._trouble:
            raise UnavailableError(self._trouble)

    async def nudge(self) -> None:
        """Look at the table now: `transaction.after_commit(relay.nudge)`."""
        self._nudged.set()

    async def send_waiting(self) -> int:
        """Send one batch of what waits; how many messages it had.

        Raises:
            DeliveryError: the bus does not take them now. They wait on.
            Fault: the database fails.
        """
        rows = await self._claims.take(self._settings.batch)
        if rows:
            await self._send(rows)
        return len(rows)

    async def _work(self) -> None:
        # Drivers of databases may swallow a cancellation, so that it alone would not end this.
        while not self._stopping.is_set():
            self._nudged.clear()
            count = await self.send_waiting()
            self._well()
            await self._measure_now_and_then()
            if count == 0:
                await first(
                    self._pause(self._settings.poll), self._nudged.wait(), self._stopping.wait()
                )

    async def _send(self, rows: Sequence[Row[Any]]) -> None:
        messages = [message_of(row) for row in rows]
        by_id = {each.header(MESSAGE_ID): row.id for each, row in zip(messages, rows, strict=True)}
        try:
            await self._producer.send(*messages)
        except DeliveryError as error:
            refused = {by_id[each.header(MESSAGE_ID)]: str(why) for each, why in error.rejected}
            left = [by_id[each.header(MESSAGE_ID)] for each in error.unavailable]
            await self._settle(set(by_id.values()) - refused.keys() - set(left), refused, left)
            if left:
                raise
        except BaseException:
            with suppress(Exception):  # whatever it is, the lease ends
                async with asyncio.timeout(_RELEASE):
                    await self._claims.settle((), {}, list(by_id.values()))
            raise
        else:
            await self._settle(set(by_id.values()), {}, ())

    async def _settle(
        self, sent: Collection[int], refused: Mapping[int, str], left: Collection[int]
    ) -> None:
        await self._claims.settle(sent, refused, left)
        self._metrics.sent.inc(len(sent))
        self._metrics.refused.inc(len(refused))
        for each, why in refused.items():
            self._log.error("message %d of the outbox is refused: %s", each, why)
            title = "messages of the outbox are refused"
            self._alerts.send(Alert(topic="kafka", title=title, detail=f"{each}: {why}"))

    async def _measure_now_and_then(self) -> None:
        now = self._clock.monotonic()
        if self._measured is not None and now - self._measured < _MEASURE:
            return
        self._measured = now
        await self.measure()

    async def measure(self) -> None:
        """Tell the metrics how much waits.

        Raises:
            Fault: the database fails.
        """
        count, oldest = await self._claims.waiting()
        self._metrics.waiting.set(count)
        age = (self._clock.now() - oldest).total_seconds() if oldest else 0
        self._metrics.oldest.set(max(0, age))

    def _ill(self, error: Exception) -> None:
        if not self._trouble:
            title = "the outbox is not sent, and waits"
            self._alerts.send(Alert(topic="kafka", title=title, detail=str(error)))
        self._trouble = f"{type(error).__name__}: {error}"

    def _well(self) -> None:
        if self._trouble:
            self._log.info("the outbox is sent again")
        self._trouble = ""
