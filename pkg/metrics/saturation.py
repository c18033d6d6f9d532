"""How full the things are that calls wait for.

    resource_in_use{resource,loop}      gauge
    resource_limit{resource,loop}       gauge: in_use near it means that calls wait
    resource_waiting{resource,loop}     gauge: what waits already, where that can be told

They are read when Prometheus asks and cost nothing in between.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import ThreadPoolExecutor

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric
    from sqlalchemy.ext.asyncio import AsyncEngine

_LABELS: Final = ("resource", "loop")
_LOG: Final = logging.getLogger(__name__)


class Reading(NamedTuple):
    """The state of a resource at one moment."""

    in_use: int
    limit: int
    waiting: int = 0


Read = Callable[[], Reading]
"""Called by the thread that answers Prometheus; must not block."""


class Saturation(Collector):
    """The resources of a process."""

    def __init__(self, registry: CollectorRegistry, logger: logging.Logger = _LOG) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self._resources: dict[tuple[str, str], Read] = {}
        self._log = logger
        registry.register(self)

    def watch(self, resource: str, read: Read, loop: str = "main") -> None:
        """Show a resource from now on; a later one of the same name takes its place.

        Args:
            resource: `sql`, `redis`, `password`.
            read: tells its state.
            loop: the event loop it belongs to; a process may have a pool for each.
        """
        self._resources[resource, loop] = read

    def describe(self) -> Iterable[Metric]:
        """The series without values."""
        return _series()

    def collect(self) -> Iterable[Metric]:
        """The series as of now. What cannot be read is left out."""
        series = _series()
        for (resource, loop), read in list(self._resources.items()):
            try:
                reading = read()
            except Exception:  # noqa: BLE001 - one broken resource must not hide all other metrics
                self._log.debug("%s cannot be read", resource, exc_info=True)
                continue
            for family, value in zip(series, reading, strict=True):
                family.add_metric((resource, loop), value)
        return series


def sql_pool(engine: AsyncEngine) -> Read:
    """The connections of an engine that has a pool of a fixed size."""
    pool: Any = engine.pool
    return lambda: Reading(pool.checkedout(), pool.size())


def redis_pool(client: Any) -> Read:
    """The connections of a client: of one server, of sentinels' master, or of a cluster."""
    from pkg.redis.pool import connections  # Redis' library, for those who use it

    return lambda: Reading(*connections(client))


def threads(executor: ThreadPoolExecutor) -> Read:
    """The threads of an executor, and the work that waits for one."""
    # The standard library tells neither in public; both are as old as the class.
    pool: Any = executor

    def read() -> Reading:
        idle = pool._idle_semaphore._value
        return Reading(
            max(0, len(pool._threads) - idle), pool._max_workers, pool._work_queue.qsize()
        )

    return read


def _series() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("resource_in_use", "How much of a resource is used.", labels=_LABELS),
        GaugeMetricFamily("resource_limit", "How much of it there is.", labels=_LABELS),
        GaugeMetricFamily("resource_waiting", "What waits for it.", labels=_LABELS),
    )
