"""One answer for several worker processes that share a port.

Each worker answers on a unix socket of its own in a folder that all share; whichever of them
Prometheus reaches asks the others, and puts `worker="<name>"` on every sample. Nothing is added up
here: PromQL does it, for counters, gauges and histograms alike, and a worker that begins again
under the same name is a counter that was reset. Exemplars and the process's own series stay.

    metrics_workers{state}              gauge: reached, missed (it hangs, or left its socket behind)
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from pkg.admin import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from pkg.admin.app import Scope

LABEL: Final = "worker"

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_SUFFIX: Final = ".metrics"
_MOST: Final = 64 << 20
"""Bytes of a worker's answer that are read."""


class WorkerMetrics:
    """A component. Hand `endpoint` to the admin app as its `/metrics`."""

    name = "worker-metrics"

    def __init__(
        self,
        directory: Path,
        worker: str,
        registry: CollectorRegistry,
        *,
        timeout: timedelta = timedelta(seconds=1),
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            directory: shared by the workers, and by nobody else. Its path is short: the address of
                a unix socket has some 100 bytes.
            worker: its name, the same when it is started again, such as a number.
            registry: of this worker.
            timeout: for the answers of the others.

        Raises:
            ValueError: the name cannot be one of a file.
        """
        if not _NAME.fullmatch(worker):
            raise ValueError(f'"{worker}" is no name of a worker')
        self._directory = directory
        self._worker = worker
        self._registry = registry
        self._timeout = timeout.total_seconds()
        self._socket = directory / f"{worker}{_SUFFIX}"
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Answer the others, in the place of whoever had the name before.

        Raises:
            OSError: the folder cannot be used.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._answer, self._socket)

    async def stop(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._socket.unlink(missing_ok=True)
            self._server = None

    async def endpoint(self, scope: Scope) -> Answer:
        """The series of all workers, in the format that is asked for."""
        accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        encode, kind = choose_encoder(accept.decode("latin-1"))
        return Answer(HTTPStatus.OK, encode(await self.gather()), kind)

    async def gather(self) -> Collector:
        """The series of all workers that answer in time."""
        others = [path for path in self._directory.glob(f"*{_SUFFIX}") if path != self._socket]
        found = await asyncio.gather(*(self._ask(path) for path in sorted(others)))
        merged = _Merged()
        merged.add(self._worker, _families(self._registry))
        missed = 0
        for path, families in zip(sorted(others), found, strict=True):
            if families is None:
                missed += 1
            else:
                merged.add(path.name.removesuffix(_SUFFIX), families)
        merged.workers(reached=1 + len(others) - missed, missed=missed)
        return merged

    async def _ask(self, path: Path) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await asyncio.open_unix_connection(path, limit=_MOST)
                try:
                    return json.loads(await reader.readline())
                finally:
                    writer.close()
        except (OSError, ValueError):  # it is gone, hangs, or was cut off; it shows in the answer
            return None

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # whoever asked has gone
            writer.write(json.dumps(_families(self._registry)).encode() + b"\n")
            await writer.drain()
        writer.close()


class _Merged(Collector):
    """Families of several registries, each under its name once."""

    def __init__(self) -> None:
        self._families: dict[str, Metric] = {}

    def add(self, worker: str, families: Iterable[Any]) -> None:
        for name, about, kind, unit, samples in families:
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = Metric(name, about, kind, unit)
            for series, labels, value, timestamp, exemplar in samples:
                family.add_sample(
                    series,
                    {**labels, LABEL: worker},
                    value,
                    timestamp,
                    Exemplar(*exemplar) if exemplar else None,
                )

    def workers(self, *, reached: int, missed: int) -> None:
        family = GaugeMetricFamily("metrics_workers", "Workers, by state.", labels=("state",))
        family.add_metric(("reached",), reached)
        family.add_metric(("missed",), missed)
        self._families[family.name] = family

    def collect(self) -> Iterable[Metric]:
        return self._families.values()


def _families(registry: CollectorRegistry) -> list[Any]:
    """A registry as what JSON can say; infinity and NaN in Python's own way."""
    return [
        (
            family.name,
            family.documentation,
            family.type,
            family.unit,
            [
                (
                    sample.name,
                    sample.labels,
                    sample.value,
                    None if sample.timestamp is None else float(sample.timestamp),
                    _plain(sample.exemplar),
                )
                for sample in family.samples
            ],
        )
        for family in registry.collect()
    ]


def _plain(exemplar: Exemplar | None) -> Any:
    if exemplar is None:
        return None
    at = exemplar.timestamp
    return exemplar.labels, exemplar.value, None if at is None else float(at)
