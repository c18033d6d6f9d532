"""Blocking queries: Consul holds the answer back until something changes, or the wait is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pkg.clock import Pause, pause

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

T = TypeVar("T")

REST: Final = timedelta(milliseconds=100)
"""Between two queries, however fast things change."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What Consul says, and as of when."""

    value: T
    index: int


async def follow(
    ask: Callable[[int], Awaitable[Answer[T]]], *, pause: Pause = pause
) -> AsyncGenerator[T, None]:
    """Yield every answer: the first at once, then each as soon as something changed.

    An answer may be the same as the one before. Raises what `ask` raises.

    Args:
        ask: queries with an index; with 0 it must be answered at once.
        pause: waits.
    """
    index = 0
    while True:
        answer = await ask(index)
        index = next_index(index, answer.index)
        yield answer.value
        await pause(REST)


def next_index(last: int, told: int) -> int:
    """The index to ask with next.

    One that goes back comes from servers that have lost their state: we begin anew. One that is
    not positive would have the next query answered at once, for ever.
    """
    if told < 1:
        return 1
    return 0 if told < last else told
