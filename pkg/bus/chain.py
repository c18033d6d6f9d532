"""From names in the configuration to what is called with each message.

A step is called with a message and with what comes after it, and goes on by awaiting that:

    async def audit(received: Received, following: Handler) -> None:
        await store(received.message.value)
        await following(received)

A chain is made once per subscription and shares nothing with another: the same step may stand in
any number of them, in any order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pkg.bus.errors import UnknownHandlersError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pkg.bus.message import Received

Handler = Callable[["Received"], Awaitable[None]]
"""Returns when the message is done with; raises what went wrong."""

Step = Callable[["Received", Handler], Awaitable[None]]
"""A handler that calls what follows."""


def step(handler: Handler) -> Step:
    """A step that does what this handler does, and goes on."""

    async def handle(received: Received, following: Handler) -> None:
        await handler(received)
        await following(received)

    return handle


def compose(steps: Sequence[Step]) -> Handler:
    """One handler that calls the first of these steps, which may call the second, and so on."""
    handler: Handler = _end
    for each in reversed(tuple(steps)):
        handler = _before(each, handler)
    return handler


def chain(names: Sequence[str], steps: Mapping[str, Step]) -> Handler:
    """The handler that a configuration names.

    Raises:
        UnknownHandlersError: `steps` has not all of the names.
    """
    require(names, steps)
    return compose([steps[name] for name in names])


def require(names: Iterable[str], steps: Mapping[str, Step]) -> None:
    """Return if there is a step for each name.

    Raises:
        UnknownHandlersError: there is not; names all that are missing, and what there is.
    """
    unknown = {name for name in names if name not in steps}
    if unknown:
        raise UnknownHandlersError(unknown, steps)


def _before(each: Step, following: Handler) -> Handler:
    async def handle(received: Received) -> None:
        await each(received, following)

    return handle


async def _end(_received: Received) -> None:
    """Nothing follows."""
