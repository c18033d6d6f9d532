"""Looks after the process, and keeps the evidence when something is too much.

    holmes_reading{kind}                the last reading, in the unit of its kind
    holmes_dumps_total{kind,kept}       dumps; kept: no when a file could not be written
    holmes_withheld_total{kind,why}     readings too high without a dump: cooling, capped, beyond

`Kind` has the kinds and their units.
"""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from pkg.clock import Clock, SystemClock
from pkg.holmes.dumps import Dumps
from pkg.holmes.examiner import Examiner, Finding
from pkg.holmes.garbage import Collections
from pkg.holmes.judge import Judge, Verdict
from pkg.holmes.process import ProcessProbe
from pkg.holmes.reporter import Reporter
from pkg.profile import Sampler
from pkg.profile.aside import aside

if TYPE_CHECKING:
    from pkg.alert import Alerts
    from pkg.holmes.loops import Loops
    from pkg.holmes.readings import Kind, Probe, Readings
    from pkg.holmes.settings import HolmesSettings

_LOG: Final = logging.getLogger(__name__)


class Holmes:
    """A component with a thread of its own, so that it sees a loop that is blocked.

    It never decides on readiness, and whatever goes wrong within it is logged, and it goes on.
    """

    name = "holmes"

    def __init__(
        self,
        settings: HolmesSettings,
        loops: Loops,
        alerts: Alerts,
        *,
        sampler: Sampler | None = None,
        lag: Probe | None = None,
        probe: Probe | None = None,
        clock: Clock | None = None,
        registry: CollectorRegistry | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Nothing is read before the start.

        Args:
            settings: the rules, and what is kept.
            loops: the event loops; the one that starts this component is added as `main`.
            alerts: told of every dump.
            sampler: the one of the process, so that there is one CPU profile at a time.
            lag: reads the event loops; `loops`, if none is given.
            probe: reads everything else; this process, if none is given.
            clock: of cool-downs, days and names of files.
            registry: for the metrics.
            logger: told of every dump.
        """
        self._settings = settings
        self._loops = loops
        self._clock = clock or SystemClock()
        self._log = logger
        self._collections = Collections()
        self._lag = lag or loops
        self._probe = probe or ProcessProbe(loops, self._collections, clock=self._clock)
        self._stop = threading.Event()
        self._reporter = Reporter(
            Examiner(loops, self._collections, sampler or Sampler(), max_text=settings.max_text),
            Dumps(settings.directory, max_files=settings.max_files, max_bytes=settings.max_size),
            alerts,
            profile=settings.profile,
            stop=self._stop,
            logger=logger,
        )
        self._judges = {
            kind: Judge(
                limits, window=settings.window, daily_cap=settings.daily_cap, clock=self._clock
            )
            for kind, limits in settings.rules.limits().items()
        }
        self._readings: dict[Kind, float] = {}
        self._collect_at = self._clock.monotonic()
        self._failing: set[str] = set()
        self._thread: threading.Thread | None = None
        self._held = ExitStack()
        registry = registry or CollectorRegistry()
        self._reading = Gauge("holmes_reading", "The last reading.", ["kind"], registry=registry)
        self._dumped = Counter("holmes_dumps", "Dumps.", ["kind", "kept"], registry=registry)
        self._withheld = Counter(
            "holmes_withheld",
            "Readings that were too high, without a dump.",
            ["kind", "why"],
            registry=registry,
        )

    async def start(self) -> None:
        """Begin to look; does nothing when the settings say so."""
        if not self._settings.enabled:
            return
        with ExitStack() as held:
            held.enter_context(self._loops.watched("main"))
            self._collections.start()
            held.callback(self._collections.stop)
            thread = threading.Thread(target=self._run, name="holmes", daemon=True)
            thread.start()
            self._thread = thread
            self._held = held.pop_all()

    async def stop(self) -> None:
        """Look no more. A dump that is being made is finished with what is there."""
        self._stop.set()
        self._held.close()
        if self._thread is not None:
            await aside("holmes-stop", self._thread.join)
            self._thread = None

    def look(self, late: float = 0.0) -> None:
        """Read once, judge, and dump what is too much. Called by the watchdog's thread.

        Args:
            late: seconds that the look comes too late.
        """
        readings = dict(self._read("lag", self._lag))
        now = self._clock.monotonic()
        if now >= self._collect_at:
            self._collect_at = now + self._settings.collect_interval.total_seconds()
            readings |= self._read("process", self._probe)
        self._readings |= readings
        for kind, value in readings.items():
            self._reading.labels(kind).set(value)
        for kind, value in readings.items():
            self._judge(kind, value, late)

    def _run(self) -> None:
        every = self._settings.lag_interval.total_seconds()
        slept_at = self._clock.monotonic()
        while not self._stop.wait(every):
            try:
                self.look(self._clock.monotonic() - slept_at - every)
            except Exception:  # noqa: BLE001 - a watchdog goes on, whatever it meets
                self._log.exception("the watchdog could not look, and tries again")
            slept_at = self._clock.monotonic()

    def _read(self, name: str, probe: Probe) -> Readings:
        try:
            found = probe.read()
        except Exception:  # noqa: BLE001 - what one probe cannot read, the other may
            if name not in self._failing:  # told once, not at every look
                self._failing.add(name)
                self._log.exception("the watchdog cannot read %s", name)
            return {}
        self._failing.discard(name)
        return found

    def _judge(self, kind: Kind, value: float, late: float) -> None:
        judge = self._judges.get(kind)
        if judge is None:
            return
        judged = judge.judge(value)
        if judged.verdict is Verdict.DUMP:
            finding = Finding(
                kind=kind,
                value=value,
                reason=judged.reason,
                readings=dict(self._readings),
                when=self._clock.now(),
                late=late,
            )
            kept = self._reporter.report(finding)
            self._dumped.labels(kind, "yes" if kept else "no").inc()
        elif judged.verdict is not Verdict.WELL:
            self._withheld.labels(kind, judged.verdict).inc()
