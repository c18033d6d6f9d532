"""How busy the CPU is, on average of the last seconds."""

from __future__ import annotations

import logging
import threading
from math import exp
from typing import TYPE_CHECKING, Final, Protocol

from pkg.profile.aside import aside

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.shedding.metrics import SheddingMetrics
    from pkg.shedding.settings import SheddingSettings

_LOG: Final = logging.getLogger(__name__)


class CpuProbe(Protocol):
    """Reads how busy the CPU is. For the thread of `CpuLoad`."""

    def read(self) -> float | None:
        """Percent since the last time; None where it cannot be told yet. Must be quick."""
        ...


class Load(Protocol):
    """What a `Shedder` goes by; asked on every call."""

    @property
    def percent(self) -> float:
        """How busy the CPU is. May be asked by any thread."""
        ...


class CpuLoad:
    """A component that samples a probe in a thread of its own: it also sees a loop that is blocked.

    The average is exponential, by time and not by samples: one that comes late counts for more. A
    probe that fails is logged once, and counts as idle, so that no call is refused for its sake.
    """

    name = "cpu-load"

    def __init__(
        self,
        settings: SheddingSettings,
        probe: CpuProbe,
        *,
        clock: Clock,
        metrics: SheddingMetrics | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Nothing is read before the start.

        Args:
            settings: how often, and how smooth.
            probe: reads the CPU.
            clock: its monotonic time.
            metrics: show the average.
            logger: told of a probe that fails.
        """
        self.percent = 0.0
        self._enabled = settings.enabled
        self._interval = settings.interval.total_seconds()
        self._smoothing = settings.smoothing.total_seconds()
        self._probe = probe
        self._clock = clock
        self._metrics = metrics
        self._log = logger
        self._sampled_at = clock.monotonic()
        self._failing = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Begin to sample; does nothing when the settings say so."""
        if self._enabled:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    async def stop(self) -> None:
        """Sample no more."""
        self._stop.set()
        if self._thread is not None:
            await aside("cpu-load-stop", self._thread.join)
            self._thread = None

    def sample(self) -> None:
        """Take one reading into the average. Called by the thread."""
        now = self._clock.monotonic()
        passed, self._sampled_at = now - self._sampled_at, now
        reading = self._read()
        if reading is None:
            return
        self.percent += (reading - self.percent) * (1 - exp(-passed / self._smoothing))
        if self._metrics is not None:
            self._metrics.cpu(self.percent)

    def _run(self) -> None:
        self.sample()  # what follows is the share of the time since
        while not self._stop.wait(self._interval):
            self.sample()

    def _read(self) -> float | None:
        try:
            reading = self._probe.read()
        except Exception:  # noqa: BLE001 - whatever a probe meets, the service goes on without it
            if not self._failing:  # told once, not at every sample
                self._failing = True
                self._log.exception("the CPU cannot be read; no call is refused for its load")
            return 0.0
        self._failing = False
        return reading
