"""What a service does around start and stop that is not a component."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Called in order. At the start a failing hook ends the start; at the stop it is logged only.

    Each has the deadline of a component.
    """

    before_start: tuple[Hook, ...] = ()
    """Before the first component starts."""
    after_start: tuple[Hook, ...] = ()
    """When all have started and the process is ready: register in discovery, show the banner."""
    before_stop: tuple[Hook, ...] = ()
    """When the process is not ready any more, before it drains: deregister from discovery. Not
    called after a start that failed halfway."""
    after_stop: tuple[Hook, ...] = ()
    """When all have stopped, however far the start had come."""
