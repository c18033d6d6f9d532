"""Profiles in the format of pprof: gzipped protobuf, as `go tool pprof` and Pyroscope read it.

https://github.com/google/pprof/blob/main/proto/profile.proto has the numbers of the fields.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pkg.profile.wire import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GZIP_LEVEL: Final = 6
_MAPPING: Final = 1
"""The id of the one mapping: it says that functions, files and lines are known already."""


class Frame(NamedTuple):
    """A place in the code."""

    function: str
    file: str
    line: int
    first_line: int = 0
    """Where the function begins; 0 where that is not known."""


class ValueType(NamedTuple):
    """What a value counts, and in which unit."""

    kind: str
    unit: str


class Sample(NamedTuple):
    """What was found at one stack."""

    stack: Sequence[Frame]
    """The innermost frame first."""
    values: Sequence[int]
    """One for each type of the profile."""
    labels: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything that a profile says."""

    types: Sequence[ValueType]
    samples: Iterable[Sample]
    default: str
    """The kind that tools show first."""
    period_type: ValueType
    period: int
    began_ns: int
    """Since 1970."""
    duration_ns: int = 0
    comments: Sequence[str] = ()

    def encoded(self) -> bytes:
        """The profile, gzipped."""
        return gzip.compress(bytes(_Encoding().profile(self)), _GZIP_LEVEL, mtime=0)


class _Encoding:
    """The tables of one profile: strings, functions and locations are written once each."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str, int], int] = {}
        self._locations: dict[Frame, int] = {}

    def profile(self, profile: Profile) -> Message:
        out = Message()
        for each in profile.types:
            out.message(1, self._value_type(each))
        for sample in profile.samples:
            out.message(2, self._sample(sample))
        out.message(3, self._mapping())
        for frame, number in self._locations.items():
            out.message(4, self._location(frame, number))
        for function, number in self._functions.items():
            out.message(5, self._function(function, number))
        period_type = self._value_type(profile.period_type)
        comments = [self._string(comment) for comment in profile.comments]
        default = self._string(profile.default)
        for text in self._strings:  # complete only now
            out.text(6, text)
        out.number(9, profile.began_ns).number(10, profile.duration_ns)
        out.message(11, period_type).number(12, profile.period)
        return out.numbers(13, comments).number(14, default)

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def _value_type(self, value_type: ValueType) -> Message:
        return (
            Message()
            .number(1, self._string(value_type.kind))
            .number(2, self._string(value_type.unit))
        )

    def _sample(self, sample: Sample) -> Message:
        places = [
            self._locations.setdefault(frame, len(self._locations) + 1) for frame in sample.stack
        ]
        out = Message().numbers(1, places).numbers(2, sample.values)
        for key, value in sample.labels:
            label = Message().number(1, self._string(key)).number(2, self._string(value))
            out.message(3, label)
        return out

    def _mapping(self) -> Message:
        name = self._string("python")
        known = Message().number(1, _MAPPING).number(5, name)
        return known.number(7, 1).number(8, 1).number(9, 1)

    def _location(self, frame: Frame, number: int) -> Message:
        key = (frame.function, frame.file, frame.first_line)
        function = self._functions.setdefault(key, len(self._functions) + 1)
        line = Message().number(1, function).number(2, frame.line)
        return Message().number(1, number).number(2, _MAPPING).message(4, line)

    def _function(self, function: tuple[str, str, int], number: int) -> Message:
        name, file, first_line = function
        text = self._string(name)
        out = Message().number(1, number).number(2, text).number(3, text)
        return out.number(4, self._string(file)).number(5, first_line)
