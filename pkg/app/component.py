"""What a service is made of.

A component starts and stops. What more it can do it says by having the method: `Checked` can tell
whether it is well, `Remarked` what else there is to know, `Watched` that it ended by itself. The
app finds out with `isinstance`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Component(Protocol):
    """A part of the process with a life of its own: a server, a pool, a consumer."""

    @property
    def name(self) -> str:
        """What it is called in logs, errors and probes; unique in its app."""
        ...

    async def start(self) -> None:
        """Be ready for work when this returns.

        If it raises or is cancelled, it has cleaned up what it began: `stop` will not be called.
        """
        ...

    async def stop(self) -> None:
        """Finish what is in hand, then let go of everything.

        Called once, after a start that succeeded. If it is cancelled, its time is up.
        """
        ...


@runtime_checkable
class Checked(Protocol):
    """A component whose health decides on the readiness of the process."""

    async def check(self) -> None:
        """Return if it is well; raise what is wrong. May be called at any time after the start."""
        ...


@runtime_checkable
class Remarked(Protocol):
    """A `Checked` component that can be well in a way that operators should know of."""

    @property
    def note(self) -> str:
        """What there is to know, in a few words: `stale since …`; empty if nothing."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A component that may end by itself, which ends the process."""

    async def wait(self) -> None:
        """Return or raise when it has ended, whatever the reason. May be cancelled."""
        ...
