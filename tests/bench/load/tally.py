"""Counts the answers of a round, from the end of its warm-up to its end."""

from __future__ import annotations

import asyncio
from array import array
from contextlib import suppress
from time import perf_counter
from typing import Final

import psutil

from tests.bench.load.round import Outcome, Round

_FEWEST: Final = 50
"""Answers that a round waits for, however long it was to be."""
_LONGEST: Final = 60.0
"""Seconds that it waits."""


class Tally:
    """What has been answered so far, and the CPU time that the server has needed for it."""

    def __init__(self, wanted: Round) -> None:
        self._wanted = wanted
        self._server = psutil.Process(wanted.pid)
        self._counting = False
        self._times = array("d")
        self._errors = 0
        self._first_error = ""
        self._cpu = 0.0
        self._began = 0.0
        self._enough = asyncio.Event()
        self.over = False
        """Nobody need send any more."""

    def answered(self, began: float, error: str = "") -> None:
        """Count an answer to what was sent at `began`, by `perf_counter`."""
        if error:
            # An error is never warm-up: what answers wrongly is not measured at all.
            self._errors += 1
            self._first_error = self._first_error or error
        elif self._counting:
            self._times.append(perf_counter() - began)
        if len(self._times) + self._errors >= _FEWEST:
            self._enough.set()

    async def run(self) -> Outcome:
        """Let the warm-up and the round pass; the calls are somebody else's."""
        await asyncio.sleep(self._wanted.warmup)
        self._cpu, self._began = self._used(), perf_counter()
        self._counting = True
        await asyncio.sleep(self._wanted.seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST):
                await self._enough.wait()
        self._counting = False
        self.over = True
        seconds, cpu = perf_counter() - self._began, self._used() - self._cpu
        times = sorted(self._times)
        return Outcome(
            calls=len(times),
            errors=self._errors,
            seconds=seconds,
            cpu=cpu,
            p50=_quantile(times, 0.5),
            p99=_quantile(times, 0.99),
            first_error=self._first_error,
        )

    def _used(self) -> float:
        times = self._server.cpu_times()
        used: float = times.user + times.system
        return used


def _quantile(times: list[float], share: float) -> float:
    """Milliseconds; infinite where nothing was answered."""
    return times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else float("inf")
