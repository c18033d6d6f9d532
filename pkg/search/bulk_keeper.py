"""Moves documents to disk while the server is away, and when memory fills."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from pkg.alert import Alert, Alerts

if TYPE_CHECKING:
    import logging
    from datetime import timedelta

    from pkg.search.bulk_metrics import BulkMetrics
    from pkg.search.bulk_sender import Sender
    from pkg.search.bulk_store import BulkStore


class Keeper:
    """Looks every so often, and when it is told to. Belongs to one event loop."""

    def __init__(
        self,
        store: BulkStore,
        sender: Sender,
        *,
        every: timedelta,
        metrics: BulkMetrics,
        alerts: Alerts,
        logger: logging.Logger,
    ) -> None:
        self._store = store
        self._sender = sender
        self._every = every.total_seconds()
        self._metrics = metrics
        self._alerts = alerts
        self._log = logger
        self._look = asyncio.Event()
        self._ending = False
        self._trouble = ""
        """What was last told of the disk."""

    def look(self) -> None:
        """Look at once."""
        self._look.set()

    def end(self) -> None:
        """Let `run` return, when what is being written is written."""
        self._ending = True
        self._look.set()

    async def run(self) -> None:
        """Keep until `end`."""
        while not self._ending:
            self._look.clear()
            self._tell_damage()
            store = self._store
            if store.queue.half_full or (self._sender.away and store.in_memory):
                await self._to_disk()
            store.measure()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._look.wait()

    async def _to_disk(self) -> None:
        if self._store.spill is None:
            return
        try:
            if await self._store.to_disk():
                self._trouble = ""
            else:
                self._tell("there is no more room on disk for documents", self._sender.away)
        except OSError as error:
            self._tell("documents cannot be kept on disk", str(error))

    def _tell_damage(self) -> None:
        spill = self._store.spill
        if spill is not None and spill.damaged:
            damaged, spill.damaged = spill.damaged, 0
            self._metrics.damaged.inc(damaged)
            self._tell("documents on disk could not be read", f"{damaged} bytes")

    def _tell(self, title: str, detail: str) -> None:
        """Say it once, until something else is to be said."""
        if title != self._trouble:
            self._trouble = title
            self._log.error("%s: %s", title, detail)
            self._alerts.send(Alert(topic="es", title=title, detail=detail))
