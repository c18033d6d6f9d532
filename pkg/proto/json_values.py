"""Single values between JSON and proto: numbers, bytes, times, spans.

Each reader takes what `parse` gives and returns what upb's constructor takes, or raises Misfit with
an empty path. Whatever comes, they answer at once: texts are looked at before they are converted.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from pkg.proto.misfit import (
    BASE64,
    BOOLEAN,
    IN_RANGE,
    INTEGER,
    NUMBER,
    ONE_OF,
    SPAN,
    STRING,
    TIME,
    Misfit,
)
from pkg.proto.wire_values import EPOCH

Reader = Callable[[Any], Any]

_F = FieldDescriptor
INT_RANGES: dict[int, tuple[int, int]] = {
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), (-(1 << 31), 1 << 31)),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), (-(1 << 63), 1 << 63)),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), (0, 1 << 32)),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), (0, 1 << 64)),
}
"""Of the integer types: the least value, and the first that is too great."""

_EXACT = 1 << 53
_GREATEST_FLOAT = 3.4028235677973366e38
"""From here on a double is infinite as a float."""
_LONGEST_SPAN = 315_576_000_000
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,19}")
_REAL = re.compile(r"-?(0|[1-9][0-9]{0,399})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,5})?")
_SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_SPAN = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")
_URLSAFE = str.maketrans("-_", "+/")


def integer_reader(kind: int) -> Reader:
    """JSON number or text to an int of this field type; 1.0 and 1e3 are integers too."""
    low, high = INT_RANGES[kind]

    def read(value: Any) -> int:
        if type(value) is str:
            exact = _INTEGER.fullmatch(value) is not None
        elif type(value) is float:
            exact = -_EXACT < value < _EXACT and value.is_integer()
        else:
            exact = type(value) is int
        if not exact:
            raise Misfit("", INTEGER)
        found = int(value)
        if low <= found < high:
            return found
        raise Misfit("", IN_RANGE)

    return read


def real_reader(kind: int) -> Reader:
    """JSON number or text to a float; only the three names of the JSON mapping are not finite."""
    limit = _GREATEST_FLOAT if kind == _F.TYPE_FLOAT else float("inf")

    def read(value: Any) -> float:
        if type(value) is str:
            if value in _SPECIAL:
                return _SPECIAL[value]
            if not _REAL.fullmatch(value):
                raise Misfit("", NUMBER)
        elif type(value) is not float and type(value) is not int:
            raise Misfit("", NUMBER)
        try:
            found = float(value)
        except OverflowError:  # of an int that no JSON text can say
            raise Misfit("", NUMBER) from None
        if -limit < found < limit:
            return found
        raise Misfit("", NUMBER)

    return read


def read_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise Misfit("", BOOLEAN)


def read_string(value: Any) -> str:
    """Refuses what UTF-8 cannot say, too."""
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Misfit("", STRING) from None
        return value
    raise Misfit("", STRING)


def read_bytes(value: Any) -> bytes:
    """Both alphabets, with or without padding."""
    if type(value) is str:
        bare = value.translate(_URLSAFE)
        try:
            return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except (binascii.Error, ValueError):
            pass
    raise Misfit("", BASE64)


def enum_reader(enum: Any) -> Reader:
    """A value's name, or any number that fits: enums of proto3 are open. Null is NullValue's."""
    numbers: dict[Any, int] = {value.name: value.number for value in enum.values}
    want = ONE_OF + ", ".join(numbers)
    if enum.full_name == "google.protobuf.NullValue":
        numbers[None] = 0

    def read(value: Any) -> int:
        if (value is None or type(value) is str) and value in numbers:
            return numbers[value]
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is int and -(1 << 31) <= value < 1 << 31:
            return value
        raise Misfit("", want)

    return read


def read_time(value: Any) -> tuple[datetime, int]:
    """RFC 3339 text to a moment in whole microseconds, and its nanoseconds within the second."""
    match = _TIME.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Misfit("", TIME)
    fraction = (match[1] or "").ljust(9, "0")
    try:
        moment = datetime.fromisoformat(value.upper())
        # In UTC it may lie before the year 1 or after 9999.
        moment = EPOCH + (moment - EPOCH)
    except (ValueError, OverflowError):
        raise Misfit("", TIME) from None
    return moment, int(fraction)


def read_timestamp(value: Any) -> dict[str, int]:
    """RFC 3339 text to the fields of a Timestamp."""
    moment, nanos = read_time(value)
    gap = moment - EPOCH
    return {"seconds": gap.days * 86400 + gap.seconds, "nanos": nanos}


def read_duration(value: Any) -> dict[str, int]:
    """Text such as "-1.5s" to the fields of a Duration; some 10 000 years at most."""
    match = _SPAN.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Misfit("", SPAN)
    seconds, nanos = int(match[2]), int((match[3] or "").ljust(9, "0"))
    if seconds > _LONGEST_SPAN or (seconds == _LONGEST_SPAN and nanos):
        raise Misfit("", SPAN)
    sign = -1 if match[1] else 1
    return {"seconds": sign * seconds, "nanos": sign * nanos}


def write_duration(value: timedelta) -> str:
    """As "1.5s": no more digits than it needs."""
    microseconds = value // timedelta(microseconds=1)
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{'-' if microseconds < 0 else ''}{seconds}{fraction}s"


def write_double(value: float) -> float | str:
    """JSON has no number for what is not finite."""
    if value - value == 0:
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def write_float(value: float) -> float | str:
    """The shortest number that is this float again: 1.1, not 1.100000023841858."""
    if value - value != 0:
        return write_double(value)
    try:
        packed = struct.pack("<f", value)
    except OverflowError:
        return value
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        if abs(short) < _GREATEST_FLOAT and struct.pack("<f", short) == packed:
            return short
    return float(f"{value:.9g}")


def write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()
