"""Tells of a change of the policies, here and elsewhere."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pkg.rbac.engine import PolicyEngine
    from pkg.rbac.notifier import PolicyNotifier

_LOG: Final = logging.getLogger(__name__)


class PolicyAnnouncer:
    """What is called when a change of the policies is committed. Belongs to its notifier's loop.

    Each loop has one of its own; all share the process's engine.
    """

    def __init__(
        self,
        engine: PolicyEngine,
        notifier: PolicyNotifier,
        *,
        timeout: timedelta = timedelta(seconds=2),
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            engine: of this process.
            notifier: reaches the others.
            timeout: for either, in case the other loop or Redis hangs.
            logger: told of failures.
        """
        self._engine = engine
        self._notifier = notifier
        self._timeout = timeout.total_seconds()
        self._log = logger

    async def policy_changed(self, version: int) -> None:
        """Have this process decide by the new policies when this returns, and tell the others.

        What fails is logged, not raised: the change stands, and every process finds it by polling.
        """
        await asyncio.gather(self._reload(version), self._publish(version))

    async def _reload(self, version: int) -> None:
        if self._engine.version == version:
            return  # the watch was faster
        try:
            async with asyncio.timeout(self._timeout):
                await self._engine.reload()
        except Exception:  # noqa: BLE001 - any: the watch tries again
            self._log.exception("version %d of the policies could not be loaded yet", version)

    async def _publish(self, version: int) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._notifier.publish(version)
        except Exception as error:  # noqa: BLE001 - any: the others poll
            self._log.warning(
                "version %d of the policies could not be announced: %r", version, error
            )
