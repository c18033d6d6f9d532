"""A block under a lock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pkg.lock.locks import LockLostError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from pkg.lock.lease import Lease
    from pkg.lock.metrics import LockMetrics


class Acquisition:
    """The context manager: takes the lock, has it renewed, and stops who works on without it."""

    def __init__(self, take: Callable[[], Awaitable[Lease]], metrics: LockMetrics) -> None:
        self._take = take
        self._metrics = metrics
        self._lease: Lease | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._worker: asyncio.Task[object] | None = None
        self._cancelled_before = 0
        self._told = False
        self._leaving = False

    async def __aenter__(self) -> Lease:
        self._worker = asyncio.current_task()
        if self._worker is None:
            raise RuntimeError("a lock is held by a task")
        self._lease = lease = await self._take()
        self._cancelled_before = self._worker.cancelling()
        self._keeping = asyncio.create_task(lease.keep(self._tell), name=f"lock-{lease.name}")
        return lease

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        lease, keeping, worker = self._lease, self._keeping, self._worker
        if lease is None or keeping is None or worker is None:
            raise RuntimeError("the block was not entered")
        self._leaving = True
        keeping.cancel()
        try:
            await asyncio.wait({keeping})
        finally:
            kept = await lease.release()
        if kept:
            return
        self._metrics.lost.inc()
        # Who was cancelled by somebody else too stays so.
        ours = self._told and worker.uncancel() <= self._cancelled_before
        if error is None or (ours and isinstance(error, asyncio.CancelledError)):
            raise LockLostError(lease.name, "was lost") from error

    def _tell(self) -> None:
        """Stop the block: it has lost its lock."""
        if not self._leaving and self._worker is not None:
            self._told = True
            self._worker.cancel()
