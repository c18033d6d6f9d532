"""What goes wrong with a bus.

BusError
├── UnavailableError      the bus does not answer, or not in time: try again later
│   └── BufferFullError   there was no room for the message until the deadline
├── RejectedError         the bus will never take this message: it is too large, say
├── DeliveryError         some of several messages are not known to be on the bus
├── LostPartitionError    the partition belongs to another consumer by now
├── PoisonError           raised by handlers: no retry will help, dead-letter the message
└── UnknownHandlersError  the configuration names handlers that there are not
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkg.bus.message import Message


class BusError(Exception):
    """Something is wrong with the bus, or with what it was asked for."""


class UnavailableError(BusError):
    """The bus does not answer. What was asked for may have happened."""


class BufferFullError(UnavailableError):
    """The buffer had no room for the message until the deadline; it was not taken."""


class RejectedError(BusError):
    """The bus will never take this message."""


class DeliveryError(BusError):
    """Some messages are not known to be on the bus; those not named here are."""

    def __init__(self, failures: Sequence[tuple[Message, BusError]]) -> None:
        """`failures`: in the order in which they were sent; never none."""
        self.failures = tuple(failures)
        _, first = self.failures[0]
        super().__init__(f"{len(self.failures)} messages not delivered, the first: {first}")

    @property
    def unavailable(self) -> tuple[Message, ...]:
        """What may be sent again. It may come twice then."""
        return tuple(each for each, why in self.failures if isinstance(why, UnavailableError))

    @property
    def rejected(self) -> tuple[tuple[Message, BusError], ...]:
        """What will never be taken, and why."""
        return tuple(each for each in self.failures if not isinstance(each[1], UnavailableError))


class LostPartitionError(BusError):
    """A partition is another consumer's by now, who gets what was not committed."""


class PoisonError(BusError):
    """For handlers to raise: the message can never be handled, so retries are left out."""


class UnknownHandlersError(BusError):
    """The configuration names handlers that there are not."""

    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        """Say what is unknown, and what there is."""
        there = ", ".join(sorted(known)) or "none"
        super().__init__(f"unknown handlers: {', '.join(sorted(unknown))}; there are: {there}")
