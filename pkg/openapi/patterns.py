"""Regular expressions of RE2, as buf.validate has them, in the dialect of JSON Schema (ECMA-262).

What every dialect reads alike passes; what reads differently is written out (`\\d` is ASCII to RE2
and more than that to others, `.` means other line ends); what has no counterpart is None.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
)
_POSIX: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alnum": "0-9A-Za-z",
        "alpha": "A-Za-z",
        "ascii": r"\x00-\x7F",
        "blank": r"\t ",
        "digit": "0-9",
        "lower": "a-z",
        "space": r"\t\n\v\f\r ",
        "upper": "A-Z",
        "word": "0-9A-Za-z_",
        "xdigit": "0-9A-Fa-f",
    }
)
_SAME_ESCAPES: Final = "tnrfvbB"
_SPECIAL: Final = frozenset(r"\^$.|?*+()[]{}/")


def escape(text: str) -> str:
    """A pattern for just this text."""
    return "".join(f"\\{each}" if each in _SPECIAL else each for each in text)


def to_ecma(pattern: str) -> str | None:
    """The pattern for JSON Schema; None where it cannot be said there."""
    try:
        return _Reader(pattern).read()
    except (LookupError, ValueError):
        return None


class _Reader:
    """Goes through a pattern once. Raises LookupError or ValueError for what it cannot say."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def read(self) -> str:
        made = ""
        while self._at < len(self._pattern):
            made += self._piece()
        return made

    def _take(self) -> str:
        taken = self._pattern[self._at]
        self._at += 1
        return taken

    def _piece(self) -> str:
        one = self._take()
        if one == "\\":
            return self._escape()
        if one == "[":
            return self._set()
        if one == ".":
            return r"[^\n]"
        if one == "(" and self._pattern.startswith("?", self._at):
            return self._group()
        return one

    def _group(self) -> str:
        for start, made in (("?:", "(?:"), ("?P<", "(?<"), ("?<", "(?<")):
            if self._pattern.startswith(start, self._at):
                self._at += len(start)
                return made
        raise ValueError("flags")

    def _escape(self) -> str:
        one = self._take()
        if one in _CLASSES:
            return f"[{_CLASSES[one]}]"
        if one.lower() in _CLASSES:
            return f"[^{_CLASSES[one.lower()]}]"
        if one in "Az":
            return "^" if one == "A" else "$"
        return self._common_escape(one)

    def _common_escape(self, one: str) -> str:
        if one in _SAME_ESCAPES:
            return f"\\{one}"
        if one == "x":
            digits = self._pattern[self._at : self._at + 2]
            self._at += 2
            return escape(chr(int(digits, 16)))
        if one.isalnum():
            raise ValueError(one)
        return f"\\{one}" if one in _SPECIAL or one == "-" else one

    def _set(self) -> str:
        made = "["
        if self._pattern.startswith("^", self._at):
            made += self._take()
        first = True
        while (one := self._take()) != "]" or first:
            first = False
            if one == "[" and self._pattern.startswith(":", self._at):
                end = self._pattern.index(":]", self._at)
                made += _POSIX[self._pattern[self._at + 1 : end]]
                self._at = end + 2
            elif one == "\\":
                escaped = self._take()
                made += _CLASSES.get(escaped) or self._common_escape(escaped)
            else:
                made += f"\\{one}" if one in "[]" else one
        return f"{made}]"
