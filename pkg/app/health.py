"""Whether the process is fit to be sent work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from pkg.app.component import Checked, Component, Remarked
from pkg.app.errors import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.clock import Clock


class Phase(Enum):
    """Where the process is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """What one component said of itself."""

    name: str
    error: str
    """What is wrong; empty if it is well."""
    seconds: float
    """How long it took to say so."""
    note: str = ""
    """What else there is to know of it; does not make the process unready."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the process says of itself."""

    phase: Phase
    components: tuple[ComponentHealth, ...]

    @property
    def ready(self) -> bool:
        """Whether it may be sent work: it runs, and every component is well."""
        return self.phase is Phase.RUNNING and not any(each.error for each in self.components)


class Health:
    """Asks the components. The app tells it the phase."""

    def __init__(
        self,
        components: Sequence[Component],
        *,
        clock: Clock,
        timeout: timedelta = timedelta(seconds=2),
    ) -> None:
        """Ask those of `components` that are `Checked`, each for at most `timeout`."""
        self._checked = [(each.name, each) for each in components if isinstance(each, Checked)]
        self._clock = clock
        self._timeout = timeout
        self.phase = Phase.STARTING

    async def report(self) -> Report:
        """Ask all at once. Never raises, and takes little longer than the timeout.

        Nobody is asked before the start is over: a component that has not started cannot be well.
        """
        phase = self.phase
        if phase in (Phase.STARTING, Phase.STOPPED):
            return Report(phase, ())
        asked = [self._ask(name, component) for name, component in self._checked]
        return Report(phase, tuple(await asyncio.gather(*asked)))

    async def _ask(self, name: str, component: Checked) -> ComponentHealth:
        began = self._clock.monotonic()
        error = ""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await component.check()
        except TimeoutError as late:
            error = (
                describe(late) if str(late) else f"no answer in {self._timeout.total_seconds():g} s"
            )
        except Exception as failure:  # noqa: BLE001 - whatever is wrong is what is asked for
            error = describe(failure)
        note = component.note if isinstance(component, Remarked) else ""
        return ComponentHealth(name, error, self._clock.monotonic() - began, note)
