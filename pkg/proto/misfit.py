"""A JSON value that the schema does not take."""

from __future__ import annotations

# What was wanted. Short and few, so that they can be said in another language; only an enum's and a
# oneof's say more.
DOCUMENT = "a JSON document"
DISTINCT = "no key twice"
SHALLOW = "at most 100 levels"
OBJECT = "object"
ARRAY = "array"
STRING = "string"
INTEGER = "integer"
IN_RANGE = "integer in range"
NUMBER = "number"
BOOLEAN = "true or false"
BASE64 = "base64"
TIME = "RFC 3339 time"
SPAN = 'duration such as "1.5s"'
PATHS = "comma-separated field paths"
VALUE = "a value"
KNOWN = "a known field"
KNOWN_TYPE = "the URL of a known type"
ONE_OF = "one of "
"""Followed by an enum's names."""
ONLY_ONE_OF = "only one of "
"""Followed by a oneof's fields."""

_LONGEST = 64


class Misfit(ValueError):  # noqa: N818 - says more than JsonError would
    """Where a value lies that does not fit, and what was wanted in its place."""

    def __init__(self, path: str, want: str) -> None:
        """`path` is in the names that the body had, e.g. `user.roles[2]`; empty for the whole."""
        super().__init__(path, want)
        self.path = path
        self.want = want

    def __str__(self) -> str:
        return f"{self.path or 'body'}: {self.want} expected"

    def below(self, key: str) -> Misfit:
        """The same, seen from the object that has it under `key`; long keys are cut."""
        if len(key) > _LONGEST:
            key = f"{key[:_LONGEST]}…"
        if not self.path:
            return Misfit(key, self.want)
        return Misfit(f"{key}{'' if self.path.startswith('[') else '.'}{self.path}", self.want)

    def at(self, index: int) -> Misfit:
        """The same, seen from the array that has it."""
        return self.below(f"[{index}]")
