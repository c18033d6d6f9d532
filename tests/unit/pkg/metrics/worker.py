"""A worker process: counts what it is told to, and answers until its input ends.

python worker.py <folder> <name> <calls>
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from pkg.metrics import WorkerMetrics
from pkg.middleware import CallMetrics


async def main(directory: str, name: str, calls: str) -> None:
    """Count, say that it is done, wait."""
    registry = CollectorRegistry()
    counted = CallMetrics(registry)
    for _ in range(int(calls)):
        counted.begin("http")
        counted.end("http", "lab.v1.Lab/Do", "OK", 0.002)
    workers = WorkerMetrics(Path(directory), name, registry)
    await workers.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await workers.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
