"""Durations as people write them: `500ms`, `2s`, `15m`, `1h30m`.

A bare number is refused, because `timeout: 30` reads as seconds to one and milliseconds to another.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_MICROSECONDS: Final = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_PATTERN: Final = "".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in _MICROSECONDS)
_REGEX: Final = re.compile(_PATTERN, re.ASCII)
_LONGEST: Final = 32
"""Characters. A longer text is a mistake, and is not worth converting."""


def parse_duration(text: str) -> timedelta:
    """Read `1h30m`: numbers with the units d h m s ms us, each at most once, largest first.

    Raises:
        ValueError: the text is not such a duration; says what one looks like.
    """
    found = _REGEX.fullmatch(text) if 0 < len(text) <= _LONGEST else None
    if found is None:
        raise ValueError('a duration needs a unit, such as "500ms", "2s", "15m" or "1h30m"')
    total = sum(
        float(number) * size
        for number, size in zip(found.groups(), _MICROSECONDS.values(), strict=True)
        if number is not None
    )
    try:
        return timedelta(microseconds=round(total))
    except OverflowError:
        raise ValueError("the duration is too long") from None


def format_duration(value: timedelta) -> str:
    """Write a duration so that `parse_duration` reads the same value; `0s` for none."""
    rest = value // timedelta(microseconds=1)
    text = "-" if rest < 0 else ""
    rest = abs(rest)
    for unit, size in _MICROSECONDS.items():
        count, rest = divmod(rest, size)
        if count:
            text += f"{count}{unit}"
    return text or "0s"


def _validate(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value.strip())
    raise ValueError('a duration is a text with a unit, such as "2s" or "15m"')


Duration = Annotated[
    timedelta,
    BeforeValidator(_validate),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": f"^(?=.){_PATTERN}$", "examples": ["500ms", "2s", "1h30m"]}
    ),
]
"""A `timedelta` in a settings model, written with units in YAML and in JSON."""
