"""What the watchdog costs: CPU time of this process with it, and without it.

    ./pants run tests/bench:holmes
    ./pants run tests/bench:holmes -- --json result.json

The process is like a service at rest: two uvloop loops, idle threads, and tasks that wait. Rounds
with and without the watchdog take turns; the gate is the difference of the medians, in percent of
one core, at the default settings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time

import uvloop

from pkg.alert import MemoryAlerts
from pkg.holmes import Holmes, HolmesSettings, Loops

TARGET = 1.0
"""Percent of one core."""


class Service:
    """Loops, threads and tasks, as a service has them."""

    def __init__(self, threads: int, tasks: int) -> None:
        self._over = threading.Event()
        self._tasks = tasks
        self.loops = Loops()
        self._ready = threading.Barrier(threads + 2)
        self._ended: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = [threading.Thread(target=self._wait) for _ in range(threads)]
        self._threads.append(threading.Thread(target=self._serve, name="grpc"))

    def start(self) -> None:
        """Return when all of it is there."""
        for thread in self._threads:
            thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End all of it."""
        self._over.set()
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        for thread in self._threads:
            thread.join()

    def _wait(self) -> None:
        self._ready.wait()
        self._over.wait()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        tasks = [asyncio.create_task(self._ended.wait()) for _ in range(self._tasks)]
        with self.loops.watched("grpc"):
            self._ready.wait()
            await asyncio.gather(*tasks)


async def measure(rounds: int, seconds: float, directory: Path) -> dict[str, list[float]]:
    """Percent of one core, by round, without and with the watchdog."""
    service = Service(threads=20, tasks=1_000)
    service.start()
    used: dict[str, list[float]] = {"without": [], "with": []}
    alerts = MemoryAlerts()
    with ExitStack() as held:
        held.callback(service.stop)
        for _ in range(rounds):
            used["without"].append(await _percent(seconds))
            holmes = Holmes(HolmesSettings(directory=directory), service.loops, alerts)
            await holmes.start()
            used["with"].append(await _percent(seconds))
            await holmes.stop()
    return used


async def _percent(seconds: float) -> float:
    began, before = monotonic(), process_time()
    await asyncio.sleep(seconds)
    return 100 * (process_time() - before) / (monotonic() - began)


def main(arguments: list[str]) -> int:
    """Prints the rounds and the gate; 1 where the gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="per round, with and without")
    options = parser.parse_args(arguments)
    with (
        TemporaryDirectory() as directory,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        used = runner.run(measure(options.rounds, options.seconds, Path(directory)))
    print(f"{'% of one core':<14}" + "".join(f"{n + 1:>8}" for n in range(options.rounds)))
    for name, values in used.items():
        print(f"{name:<14}" + "".join(f"{value:>8.3f}" for value in values))
    overhead = max(0.0, statistics.median(used["with"]) - statistics.median(used["without"]))
    passed = overhead < TARGET
    print(f"gate holmes-overhead {overhead:.2f} {TARGET:g} {'pass' if passed else 'fail'}")
    if options.json:
        figures = {
            "gate": "holmes-overhead",
            "value": overhead,
            "target": TARGET,
            "percent": used,
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
