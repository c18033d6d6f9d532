"""Values that betterproto2 holds as Python objects and upb as messages: moments and spans.

Both sides keep what the other can say: a datetime has microseconds, so nanoseconds are cut.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import DecodeError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in (
        "Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes",
    )
)  # fmt: skip
"""Messages that are a bare value or None in Python and in JSON."""

TIMESTAMP = "google.protobuf.Timestamp"
DURATION = "google.protobuf.Duration"


def to_timestamp(value: datetime, field: str) -> dict[str, int]:
    """What upb's constructor takes for a Timestamp; a dict costs it less than a datetime.

    Raises:
        ValueError: the datetime has no time zone; it names `field`.
    """
    if value.tzinfo is None:
        raise ValueError(f"{field}: a Timestamp needs a datetime with a time zone")
    gap = value - EPOCH
    return {"seconds": gap.days * 86400 + gap.seconds, "nanos": gap.microseconds * 1000}


def to_duration(value: timedelta, _field: str) -> dict[str, int]:
    """What upb's constructor takes for a Duration: both parts bear the sign."""
    microseconds = value // timedelta(microseconds=1)
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    if microseconds < 0:
        return {"seconds": -seconds, "nanos": -rest * 1000}
    return {"seconds": seconds, "nanos": rest * 1000}


def from_timestamp(value: Any) -> datetime:
    """The moment, in UTC.

    Raises:
        DecodeError: it lies outside the years 1 to 9999.
    """
    try:
        return EPOCH + timedelta(0, value.seconds, value.nanos // 1000)
    except OverflowError:
        raise DecodeError("a Timestamp lies outside the years 1 to 9999") from None


def from_duration(value: Any) -> timedelta:
    """The span, cut towards zero.

    Raises:
        DecodeError: it is longer than Python can say, some 2.7 million years.
    """
    nanos = value.nanos
    try:
        return timedelta(0, value.seconds, nanos // 1000 if nanos >= 0 else -(-nanos // 1000))
    except OverflowError:
        raise DecodeError("a Duration is out of range") from None
