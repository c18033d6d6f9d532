"""What goes over a bus: a message, and what it is once a bus has it.

    message-id      names a message for ever; what the inbox goes by
    traceparent     W3C trace context, beside tracestate

A message that was given up also tells why, see `pkg.bus.dead_letter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import datetime

    from pkg.tokens import Tokens

Header = tuple[str, bytes]

MESSAGE_ID: Final = "message-id"


class Message(NamedTuple):
    """What is sent. Messages of a topic that have the same key stay in order.

    A tuple, because one is made for every operation record: it costs a fifth of a frozen dataclass.
    """

    topic: str
    value: bytes
    key: bytes | None = None
    """Chooses the partition; without one any may be chosen, and there is no order."""
    headers: tuple[Header, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        size = len(self.key or b"") + len(self.value)
        for name, value in self.headers:
            size += len(name) + len(value)
        return size

    def header(self, name: str) -> bytes | None:
        """The value of a header, the last if there are several; None without one."""
        return next((value for each, value in reversed(self.headers) if each == name), None)

    def with_headers(self, headers: Iterable[Header]) -> Message:
        """The same message with these headers, in place of those with the same names."""
        new = tuple(headers)
        return self._replace(headers=self.without({name for name, _ in new}).headers + new)

    def without(self, names: Container[str]) -> Message:
        """The same message without the headers of these names."""
        kept = tuple(each for each in self.headers if each[0] not in names)
        return self._replace(headers=kept)


def identified(message: Message, tokens: Tokens) -> Message:
    """The message with an id: the one that it has, or a new one."""
    if message.header(MESSAGE_ID):
        return message
    return message.with_headers([(MESSAGE_ID, tokens.hex(16).encode())])


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One of the lines that a topic consists of. What is in a line has an order."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as it lies on the bus."""

    message: Message
    partition: int
    offset: int
    """Its place in the partition; later ones have higher numbers, which may leave some out."""
    timestamp: datetime
    """When it was sent, in UTC."""
    deadline: float | None = None
    """When the try that it is in has to end, on the loop's clock; None outside of one."""

    @property
    def where(self) -> Partition:
        """The partition that it lies in."""
        return Partition(self.message.topic, self.partition)

    @property
    def id(self) -> str:
        """What names the message: its `message-id`, or its place where it has none."""
        named = self.message.header(MESSAGE_ID)
        if named:
            return named.decode(errors="replace")
        return f"{self.message.topic}/{self.partition}/{self.offset}"
