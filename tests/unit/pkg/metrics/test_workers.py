"""Several processes answer as one, and what they counted adds up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pkg.metrics import WorkerMetrics
from pkg.middleware import CallMetrics
from tests.unit.pkg.metrics import worker as program

PATIENCE = timedelta(seconds=30)

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPT = b"application/openmetrics-text; version=1.0.0"
CALLS = {"transport": "http", "operation": "lab.v1.Lab/Do", "reason": "OK"}


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short: pytest's own are too long for a socket's address."""
    with tempfile.TemporaryDirectory(prefix="w") as made:
        yield Path(made)


class Worker:
    """Another process."""

    def __init__(self, directory: Path, name: str, calls: int) -> None:
        assert program.__file__ is not None
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, program.__file__, str(directory), name, str(calls)],
            env={"PYTHONPATH": ":".join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def left_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def scraped(workers: WorkerMetrics) -> dict[str, dict[str, float]]:
    """Series -> worker -> value, added over all other labels, as Prometheus reads it."""
    answer = await workers.endpoint({"headers": [(b"accept", ACCEPT)]})
    found: dict[str, dict[str, float]] = {}
    parse: Any = text_string_to_metric_families
    for family in parse(answer.body.decode()):
        for sample in family.samples:
            name = sample.labels.get("worker") or sample.labels.get("state", "")
            by_worker = found.setdefault(sample.name, {})
            by_worker[name] = by_worker.get(name, 0) + sample.value
    return found


async def test_the_counts_of_two_processes_add_up_wherever_prometheus_asks(
    directory: Path,
) -> None:
    registry = CollectorRegistry()
    counted = CallMetrics(registry)
    for _ in range(5):
        counted.begin("http")
        counted.end("http", "lab.v1.Lab/Do", "OK", 0.2)
    workers = WorkerMetrics(directory, "0", registry, timeout=PATIENCE)
    await workers.start()
    one, two = Worker(directory, "1", 7), Worker(directory, "2", 11)
    try:
        found = await scraped(workers)
    finally:
        one.end()
        two.end()
        await workers.stop()

    assert found["rpc_calls_total"] == {"0": 5, "1": 7, "2": 11}
    assert found["rpc_call_duration_seconds_count"] == {"0": 5, "1": 7, "2": 11}
    assert found["metrics_workers"] == {"reached": 3, "missed": 0}


async def test_a_worker_that_was_killed_is_missed_until_it_begins_again(
    directory: Path,
) -> None:
    workers = WorkerMetrics(directory, "0", CollectorRegistry(), timeout=PATIENCE)
    await workers.start()
    Worker(directory, "1", 7).end()

    found = await scraped(workers)
    assert found["metrics_workers"] == {"reached": 1, "missed": 1}

    again = Worker(directory, "1", 2)
    try:
        found = await scraped(workers)
    finally:
        again.end()
        await workers.stop()
    assert found["rpc_calls_total"] == {"1": 2}
    assert found["metrics_workers"] == {"reached": 2, "missed": 0}


async def test_a_worker_that_hangs_is_not_waited_for(directory: Path) -> None:
    release = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_unix_server(hang, directory / "1.metrics")
    soon = timedelta(milliseconds=20)
    workers = WorkerMetrics(directory, "0", CollectorRegistry(), timeout=soon)

    found = await scraped(workers)

    assert found["metrics_workers"] == {"reached": 1, "missed": 1}
    release.set()
    server.close()
    await server.wait_closed()


async def test_exemplars_and_help_survive(directory: Path) -> None:
    registry = CollectorRegistry()
    Counter("sold", "Things sold.", registry=registry).inc(3, {"trace_id": "abc"})
    other = WorkerMetrics(directory, "1", registry)
    await other.start()
    workers = WorkerMetrics(directory, "0", CollectorRegistry(), timeout=PATIENCE)

    answer = await workers.endpoint({"headers": [(b"accept", ACCEPT)]})

    text = answer.body.decode()
    assert "# HELP sold Things sold." in text
    assert 'sold_total{worker="1"} 3.0 # {trace_id="abc"} 3.0' in text
    await other.stop()
    assert not left_in(directory)


@pytest.mark.parametrize("name", ["", "../1", "a b", "x" * 33])
def test_a_name_that_is_no_file_is_refused(name: str, directory: Path) -> None:
    with pytest.raises(ValueError, match="is no name of a worker"):
        WorkerMetrics(directory, name, CollectorRegistry())
