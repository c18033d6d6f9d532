"""Decides whether a role may do something, by policies held in memory."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.rbac.shared_job import SharedJob
from pkg.rbac.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pkg.clock import Clock
    from pkg.rbac.policy_set import PolicySet

_LOG: Final = logging.getLogger(__name__)


class StalePoliciesError(Exception):
    """The policies are not known, or may have changed since they were: everything is denied."""


class _Held:
    """A snapshot, and until when it may be relied on."""

    __slots__ = ("as_of", "decisions", "snapshot", "until")

    def __init__(self, snapshot: Snapshot, as_of: float, max_stale: float) -> None:
        self.snapshot = snapshot
        self.decisions = snapshot.decisions
        self.as_of = as_of
        self.until = as_of + max_stale


class PolicyEngine:
    """Holds the policies, and decides by them.

    One engine serves all threads and loops of a process. Deciding never waits: it reads a snapshot
    that a reload replaces as a whole. In doubt everything is denied: before the first load, when
    the policies were not known to be current for `max_stale`, and on any error.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[PolicySet]],
        *,
        clock: Clock,
        max_stale: timedelta,
        load_timeout: timedelta = timedelta(seconds=5),
        cache_size: int = 4096,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare an engine that denies everything until its first `reload`.

        Args:
            load: reads all policies. Always called on the loop that first called `reload`.
            clock: of the host.
            max_stale: how long policies are relied on that could not be found to be current.
            load_timeout: for reading the policies, or their version.
            cache_size: how many decisions are remembered, at least 1.
            logger: told of failures.
        """
        self._load = load
        self._clock = clock
        self._max_stale = max_stale.total_seconds()
        self._load_timeout = load_timeout.total_seconds()
        self._cache_size = max(1, cache_size)
        self._log = logger
        self._job = SharedJob(self._replace, timeout=load_timeout)
        self._held: _Held | None = None
        self._lock = threading.Lock()
        self._doubt_logged = False

    @property
    def version(self) -> int | None:
        """Of the policies that decide now; None before the first load."""
        held = self._held
        return None if held is None else held.snapshot.version

    def allowed(self, role: str, resource: str, action: str) -> bool:
        """Whether the policies allow it; False in doubt. May be called by any thread."""
        try:
            held = self._held
            if held is None or self._clock.monotonic() > held.until:
                self._tell_doubt()
                return False
            known = held.decisions.get((role, resource, action))
            return held.snapshot.decide(role, resource, action) if known is None else known
        except Exception:  # noqa: BLE001 - any: what cannot be decided is denied
            self._log.exception("a permission could not be decided, and was denied")
            return False

    async def reload(self) -> int:
        """Load the policies, and decide by them when this returns, on every thread.

        May be called on any loop: the load is handed to the one that it belongs to. Calls at the
        same time share a load, which begins after the last of them: what was committed before the
        call is loaded. The snapshot stays as it was where this raises.

        Returns:
            The version.

        Raises:
            TimeoutError: the load took too long.
            ClosedError: the engine is closed.
            Exception: what `load` raised.
        """
        return await self._job.run()

    async def reconcile(self, current: Callable[[], Awaitable[int]]) -> bool:
        """Find out whether the policies are current, and reload them if not.

        Args:
            current: reads the version.

        Returns:
            Whether they were reloaded.

        Raises:
            TimeoutError: reading took too long.
            Exception: what `current` or `reload` raised.
        """
        as_of = self._clock.monotonic()
        async with asyncio.timeout(self._load_timeout):
            version = await current()
        with self._lock:
            held = self._held
            if held is not None and held.snapshot.version == version:
                self._hold(held.snapshot, max(as_of, held.as_of))
                return False
        await self.reload()
        return True

    def check(self) -> None:
        """Return while the policies can be relied on.

        Raises:
            StalePoliciesError: they cannot, so that everything is denied.
        """
        held = self._held
        if held is None:
            raise StalePoliciesError("the policies have not been loaded")
        now = self._clock.monotonic()
        if now > held.until:
            raise StalePoliciesError(
                f"the policies were last known to be current {now - held.as_of:.0f} s ago"
            )

    async def close(self) -> None:
        """Load no more. To be called on the loop of the first `reload`."""
        await self._job.close()

    async def _replace(self) -> int:
        as_of = self._clock.monotonic()
        policies = await self._load()
        snapshot = Snapshot(policies, cache_size=self._cache_size)
        with self._lock:
            self._hold(snapshot, as_of)
        return snapshot.version

    def _hold(self, snapshot: Snapshot, as_of: float) -> None:
        self._held = _Held(snapshot, as_of, self._max_stale)
        self._doubt_logged = False

    def _tell_doubt(self) -> None:
        """Once, not for every call that is denied."""
        if not self._doubt_logged:
            self._doubt_logged = True
            try:
                self.check()
            except StalePoliciesError as error:
                self._log.error("every permission is denied: %s", error)
