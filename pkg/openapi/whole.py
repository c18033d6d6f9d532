"""Patterns for integers that come as text, as the JSON mapping allows them to."""

from __future__ import annotations

from typing import Final

_EXACT: Final = 7
"""Digits up to which a bound is said exactly. A longer one is rounded inwards: ten digits more of
pattern would help nobody who reads it."""


def whole_pattern(low: int, high: int) -> str | None:
    """A pattern of the decimal texts of the integers from `low` to `high`; None if there are none.

    Every text that matches is in the range. Bounds of more than seven digits are rounded inwards.
    """
    parts: list[str] = []
    if low < 0:
        parts += [f"-{each}" for each in _positive(max(1, -high), -low)]
    if high >= 0:
        parts += ["0"] if low <= 0 else []
        parts += _positive(max(1, low), high)
    return f"^(?:{'|'.join(parts)})$" if parts else None


def _positive(low: int, high: int) -> list[str]:
    """For 1 <= low <= high; nothing for an empty range."""
    if len(str(low)) > _EXACT:
        low = 10 ** len(str(low))
    if len(str(high)) > _EXACT and str(high).strip("9"):
        high = 10 ** (len(str(high)) - 1) - 1
    parts: list[str] = []
    while low <= high:
        end = min(high, 10 ** len(str(low)) - 1)
        if low == 10 ** (len(str(low)) - 1) and end < high:  # all numbers of some lengths
            most = len(str(high + 1)) - 1
            end = 10**most - 1
            parts.append(_lengths(len(str(low)), most))
        else:
            parts += _same_length(str(low), str(end))
        low = end + 1
    return parts


def _lengths(least: int, most: int) -> str:
    if least == most == 1:
        return "[1-9]"
    more = f"{least - 1}" if least == most else f"{least - 1},{most - 1}"
    return f"[1-9][0-9]{{{more}}}"


def _same_length(low: str, high: str) -> list[str]:
    """For two numbers with as many digits."""
    if not low:
        return [""]
    if low.strip("0") == "" and high.strip("9") == "":
        return [_digits("0", "9", len(low))]
    if low[0] == high[0]:
        return [low[0] + rest for rest in _same_length(low[1:], high[1:])]
    zeros, nines = "0" * (len(low) - 1), "9" * (len(low) - 1)
    first, last = int(low[0]), int(high[0])
    parts: list[str] = []
    if low[1:] != zeros:
        parts += [low[0] + rest for rest in _same_length(low[1:], nines)]
        first += 1
    whole = last if high[1:] == nines else last - 1
    if first <= whole:
        parts.append(_digits(str(first), str(whole), 1) + _digits("0", "9", len(low) - 1))
    if high[1:] != nines:
        parts += [high[0] + rest for rest in _same_length(zeros, high[1:])]
    return parts


def _digits(first: str, last: str, count: int) -> str:
    if not count:
        return ""
    one = first if first == last else f"[{first}-{last}]"
    return one if count == 1 else f"{one}{{{count}}}"
