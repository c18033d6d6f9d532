"""What becomes of a message that is given up.

It goes to the dead-letter topic with its key, value and headers, and with these:

    dead-reason      the error, in one line
    dead-stack       the end of its stack
    dead-attempts    how often it was tried
    dead-group       who gave it up
    dead-topic, dead-partition, dead-offset, dead-timestamp   where it was, and since when

A replay takes them off, and counts itself in `replay-count`.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Final

from pkg.bus.message import MESSAGE_ID

if TYPE_CHECKING:
    from pkg.bus.message import Header, Message, Received

REASON: Final = "dead-reason"
STACK: Final = "dead-stack"
ATTEMPTS: Final = "dead-attempts"
GROUP: Final = "dead-group"
TOPIC: Final = "dead-topic"
PARTITION: Final = "dead-partition"
OFFSET: Final = "dead-offset"
TIMESTAMP: Final = "dead-timestamp"
REPLAYS: Final = "replay-count"

DEAD: Final = frozenset({REASON, STACK, ATTEMPTS, GROUP, TOPIC, PARTITION, OFFSET, TIMESTAMP})

_LONGEST_REASON: Final = 1024
_LONGEST_STACK: Final = 8192
"""Bytes."""


def dead_letter(
    received: Received, topic: str, *, group: str, error: BaseException, attempts: int
) -> Message:
    """The message for the dead-letter topic. It keeps its id, or gets its place as one."""
    message = received.message
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    stack = "".join(traceback.format_exception(error))
    headers: tuple[Header, ...] = (
        (MESSAGE_ID, received.id.encode()),
        (REASON, reason.encode()[:_LONGEST_REASON]),
        (STACK, stack.encode()[-_LONGEST_STACK:]),
        (ATTEMPTS, str(attempts).encode()),
        (GROUP, group.encode()),
        (TOPIC, message.topic.encode()),
        (PARTITION, str(received.partition).encode()),
        (OFFSET, str(received.offset).encode()),
        (TIMESTAMP, received.timestamp.isoformat().encode()),
    )
    return _to(topic, message.with_headers(headers))


def revived(received: Received) -> Message | None:
    """The message as it is to be sent to its topic again; None if it does not say which that is."""
    message = received.message
    topic = message.header(TOPIC)
    if not topic:
        return None
    replays = message.header(REPLAYS) or b"0"
    count = int(replays) + 1 if replays.isdigit() and len(replays) < 10 else 1
    again = message.without(DEAD).with_headers([(REPLAYS, str(count).encode())])
    return _to(topic.decode(errors="replace"), again)


def _to(topic: str, message: Message) -> Message:
    return message._replace(topic=topic)
