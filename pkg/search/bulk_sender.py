"""Sends batches, and deals with what becomes of each document."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pkg.alert import Alert, Alerts
from pkg.filestore.threads import in_thread
from pkg.search.errors import MissingIndexError, SearchUnavailableError
from pkg.search.search import BulkTarget, Item, Outcome, Result

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from pkg.backoff import Backoff
    from pkg.clock import Clock, Pause
    from pkg.search.bulk_metrics import BulkMetrics
    from pkg.search.bulk_settings import BulkSettings
    from pkg.search.bulk_store import Batch, BulkStore
    from pkg.search.refused_file import RefusedFile


class Sender:
    """Sends one batch after another until it is cancelled. Belongs to one event loop."""

    def __init__(
        self,
        target: BulkTarget,
        store: BulkStore,
        settings: BulkSettings,
        refused: RefusedFile,
        *,
        metrics: BulkMetrics,
        alerts: Alerts,
        backoff: Backoff,
        clock: Clock,
        pause: Pause,
        logger: logging.Logger,
    ) -> None:
        self._target = target
        self._store = store
        self._settings = settings
        self._refused = refused
        self._metrics = metrics
        self._alerts = alerts
        self._backoff = backoff
        self._clock = clock
        self._pause = pause
        self._log = logger
        self.away = ""
        """Why the server takes nothing; empty while it does."""
        self._changed = asyncio.Event()
        """There is something to send, or more of it."""
        self._hurry = False
        self._idle = asyncio.Event()
        self._stuck = asyncio.Event()

    def wake(self) -> None:
        """Look again whether there is something to send."""
        self._changed.set()

    async def drained(self) -> None:
        """Send at once what is in memory; return when that is done, or cannot be done now."""
        self._hurry = True
        self._idle.clear()
        self._changed.set()
        waits = {asyncio.create_task(each.wait()) for each in (self._idle, self._stuck)}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def run(self) -> None:
        """Send until this is cancelled."""
        while True:
            await self._gathered()
            try:
                batch = await self._store.take()
            except OSError as error:
                await self._disk_fails(error)
                continue
            if batch is None:
                self._idle.set()
                continue
            await self._deliver(batch)
            try:
                await self._store.done()
            except OSError as error:
                await self._disk_fails(error)

    async def _gathered(self) -> None:
        """Return when a batch is to be sent: full, old enough, or from disk."""
        store = self._store
        while not (store.on_disk or len(store.queue)):
            self._idle.set()
            await self._changed.wait()
            self._changed.clear()
        try:
            async with asyncio.timeout(self._settings.flush_every.total_seconds()):
                while not (store.on_disk or store.full_batch or self._hurry):
                    await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            return

    async def _deliver(self, batch: Batch) -> None:
        """Send a batch until each of its documents has arrived or was refused."""
        failures = 0
        attempts: dict[tuple[str, str], int] = {}
        while batch.items:
            began = self._clock.monotonic()
            try:
                results = await self._target.write(batch.items)
            except (SearchUnavailableError, MissingIndexError) as error:
                self._is_away(str(error))
                failures += 1
            else:
                settled = await self._settle(batch, results, attempts)
                failures = 0 if settled else failures + 1
            finally:
                self._metrics.flush_seconds.observe(self._clock.monotonic() - began)
            if batch.items:
                await self._pause(self._backoff.wait(max(1, failures)))
                self._metrics.retried.inc(len(batch.items))

    async def _settle(
        self, batch: Batch, results: Sequence[Result], attempts: dict[tuple[str, str], int]
    ) -> bool:
        """Leave in the batch what is to be sent again; whether anything was settled."""
        left: list[Item] = []
        refused: list[tuple[Item, str]] = []
        why = ""
        for item, result in zip(batch.items, results, strict=True):
            outcome = result.outcome
            if outcome is Outcome.FAILED:
                key = (item.index, item.id)
                attempts[key] = attempts.get(key, 0) + 1
                outcome = (
                    Outcome.REFUSED
                    if attempts[key] >= self._settings.max_attempts
                    else Outcome.FAILED
                )
            if outcome is Outcome.REFUSED:
                refused.append((item, result.reason))
            elif outcome is not Outcome.DONE:
                left.append(item)
                why = result.reason
        done = len(batch.items) - len(left)
        self._metrics.indexed.inc(done - len(refused))
        batch.items = left
        if done:
            self._is_back()
        elif left:
            self._is_away(why)
        if refused:
            await self._keep_refused(refused)
        return done > 0

    async def _keep_refused(self, refused: list[tuple[Item, str]]) -> None:
        self._metrics.refused.inc(len(refused))
        item, reason = refused[0]
        self._log.error(
            "the search refused %d documents, such as %r of %s: %s",
            len(refused),
            item.id,
            item.index,
            reason,
        )
        self._alert("the search refuses documents", f"{item.index} {item.id}: {reason}")
        try:
            await in_thread(self._refused.append, refused, self._clock.now())
        except OSError as error:
            self._log.error("refused documents cannot be kept: %s", error)

    def _is_away(self, why: str) -> None:
        if not self.away:
            self._log.warning("the search takes no documents: %s", why)
            self._alert("the search takes no documents", why)
            self._metrics.away.set(1)
        self.away = why or "the server is busy"
        self._stuck.set()

    def _is_back(self) -> None:
        if self.away:
            self._log.info("the search takes documents again")
            self._metrics.away.set(0)
        self.away = ""
        self._stuck.clear()

    async def _disk_fails(self, error: OSError) -> None:
        self._log.error("documents on disk cannot be read: %s", error)
        self._alert("documents on disk cannot be read", str(error))
        self._stuck.set()
        await self._pause(self._settings.backoff.longest)

    def _alert(self, title: str, detail: str) -> None:
        self._alerts.send(Alert(topic="es", title=title, detail=detail))
