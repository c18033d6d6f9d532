"""The kinds of field that a document may have, and how their values are kept.

A kind is put on a field of the model with `Annotated[str, Keyword()]`. Where the type leaves no
choice it may be left out: `int` is a Long, `float` a Double, `bool` a Boolean, `datetime` a Date.
Each field holds one value or None.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pkg.search.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = 1 << 63
_LONGEST_KEYWORD: Final = 8191
"""Lucene takes 32766 bytes."""
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The base of the kinds.

    A value has two forms: the kept one, which is JSON, and the compared one, a number or a text
    whose order is the order of the values.
    """

    kind: ClassVar[str] = ""
    types: ClassVar[tuple[type, ...]] = ()
    """Of the values in Python."""

    def keep(self, name: str, value: Any) -> Any:
        """The kept form of a value that is not None.

        Raises:
            RefusedError: it is no value of this kind.
        """
        raise RefusedError(name, f"{type(value).__name__} is no {self.kind}")

    def compared(self, name: str, kept: Any) -> Any:
        """The compared form of a kept value that is not None.

        Raises:
            RefusedError: it is no kept value of this kind.
        """
        return self.keep(name, kept)

    @property
    def searchable(self) -> bool:
        """Whether a filter may name it."""
        return False

    @property
    def sortable(self) -> bool:
        """Whether a sort may name it."""
        return False

    def definition(self) -> dict[str, Any]:
        """The kind and its options as JSON. What differs in it is another field."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exact(Field):
    """A value that is found as a whole, compared and sorted by."""

    searchable: bool = True
    sortable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword(_Exact):
    """A text that is found as a whole: an id, a method, a path. Sorted by code points."""

    kind = "keyword"
    types = (str,)
    longest: int = 1024
    """Characters, up to 8191. A longer text is kept, but not found and not sorted by."""

    def __post_init__(self) -> None:
        """Refuse what the server would.

        Raises:
            ValueError: `longest` is out of bounds.
        """
        if not 1 <= self.longest <= _LONGEST_KEYWORD:
            raise ValueError(f"a keyword has from 1 to {_LONGEST_KEYWORD} characters")

    def keep(self, name: str, value: Any) -> str:
        """The text."""
        return _text(self, name, value)

    def compared(self, name: str, kept: Any) -> str | None:
        """The text; None if it is too long for that."""
        text = _text(self, name, kept)
        return text if len(text) <= self.longest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Field):
    """A text whose words are found. It cannot be sorted by, nor be named in a filter but `Exists`.

    Case does not matter. A word is what Unicode calls one; each Chinese character is.
    """

    kind = "text"
    types = (str,)
    analyzer: str = "standard"
    """Of Elasticsearch, such as `ik_max_word` where that plugin is; SQLite knows only `standard`'s
    way to tell words."""

    def keep(self, name: str, value: Any) -> str:
        """The text."""
        return _text(self, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Long(_Exact):
    """A whole number of 64 bits."""

    kind = "long"
    types = (int,)

    def keep(self, name: str, value: Any) -> int:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise RefusedError(name, f"{type(value).__name__} is no whole number")
        if not -_LONGEST <= value < _LONGEST:
            raise RefusedError(name, "the number has more than 64 bits")
        return int(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Double(_Exact):
    """A number of double precision."""

    kind = "double"
    types = (float, int)

    def keep(self, name: str, value: Any) -> float:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError(name, f"{type(value).__name__} is no number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise RefusedError(name, "the number is not finite")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(_Exact):
    """Yes or no; no comes first."""

    kind = "boolean"
    types = (bool,)

    def keep(self, name: str, value: Any) -> bool:
        """The value."""
        if not isinstance(value, bool):
            raise RefusedError(name, f"{type(value).__name__} is no boolean")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Date(_Exact):
    """An instant, kept to the millisecond in UTC."""

    kind = "date"
    types = (datetime,)

    def keep(self, name: str, value: Any) -> str:
        """ISO 8601, such as `2026-01-01T00:00:00.000Z`."""
        if not isinstance(value, datetime):
            raise RefusedError(name, f"{type(value).__name__} is no date and time")
        if value.tzinfo is None:
            raise RefusedError(name, "a time without a time zone is no instant")
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def compared(self, name: str, kept: Any) -> int:
        """Milliseconds since 1970."""
        try:
            instant = datetime.fromisoformat(kept)
        except (TypeError, ValueError):
            raise RefusedError(name, "not a date and time of ISO 8601") from None
        if instant.tzinfo is None:
            raise RefusedError(name, "a time without a time zone is no instant")
        return (instant - _EPOCH) // _MILLISECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Field):
    """Anything that JSON can hold. It comes back with the document, and is not found."""

    kind = "stored"
    types = (object,)

    def keep(self, name: str, value: Any) -> Any:
        """The value."""
        return value


_KINDS: Final = {each.kind: each for each in (Keyword, Text, Long, Double, Boolean, Date, Stored)}


def read(definition: Mapping[str, Any]) -> Field:
    """The field of which this is the `definition`.

    Raises:
        ValueError: it is of none that this code knows.
    """
    options = dict(definition)
    kind = _KINDS.get(options.pop("kind", ""))
    try:
        if kind is not None:
            return kind(**options)
    except TypeError:  # of an option
        pass
    raise ValueError(f"a field that this code does not know: {definition}")


def _text(field: Field, name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise RefusedError(name, f"{type(value).__name__} is no {field.kind}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RefusedError(name, "the text is not Unicode") from None
    return str.__str__(value)  # of an enum's member, the value
