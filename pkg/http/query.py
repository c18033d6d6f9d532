"""Text from the query or from a path variable, put where the JSON of the message would have it.

A name is a path of fields by their proto or JSON names (`page.pageSize`). What names no field, or a
field that text cannot fill, is ignored, and so is what the path or the body fills: those fields are
theirs alone. A repeated field takes every value; any other takes one.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from google.protobuf.descriptor import FieldDescriptor

from pkg.http.refused import FEWER, ONE_VALUE, UTF8
from pkg.proto.misfit import BOOLEAN, OBJECT, Misfit
from pkg.proto.schema import is_map

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from google.protobuf.descriptor import Descriptor

_MOST: Final = 1000
"""Parameters of one query; more are refused, as FEWER says."""

_WRAPPERS: Final = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in (
        "Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes",
    )
)  # fmt: skip
_TEXTS: Final = _WRAPPERS | {
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
}
"""Messages that JSON writes as one text or number."""
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?", re.ASCII)
_ENUM_NUMBER: Final = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Query:
    """Where the parameters of one request message go."""

    def __init__(self, message: Descriptor, reserved: Collection[str] = ()) -> None:
        """`reserved`: field paths in proto names that no parameter may fill, nor anything below."""
        self._message = message
        self._reserved = frozenset(reserved)
        self._places: dict[str, _Place | None] = {}

    def read(self, query: bytes, values: dict[str, Any]) -> None:
        """Put every parameter of a raw query string into `values`.

        Raises:
            Misfit: a value does not fit its field, or stands twice; the query is not UTF-8.
        """
        try:
            pairs = parse_qsl(
                query.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST,
            )
        except UnicodeDecodeError:
            raise Misfit("", UTF8) from None
        except ValueError:
            raise Misfit("", FEWER) from None
        for name, text in pairs:
            place = self._find(name)
            if place is not None and not place.reserved:
                place.add(values, text)

    def bind(self, path: str, text: str, values: dict[str, Any]) -> None:
        """Put a path variable into `values`, in the place of whatever is there.

        Raises:
            Misfit: the text does not fit the field.
        """
        place = self._find(path)
        if place is not None:
            place.set(values, text)

    def _find(self, path: str) -> _Place | None:
        place = self._places.get(path)
        if place is None:
            # Names that are nobody's are not remembered: a caller may send any number of them.
            place = self._places[path] = _place(self._message, self._reserved, path)
            if place is None:
                del self._places[path]
        return place


class _Place:
    """A field that text can fill, however deep it lies."""

    __slots__ = ("_field", "_leaf", "_parents", "_path", "reserved")

    def __init__(self, fields: list[FieldDescriptor], *, reserved: bool) -> None:
        self._parents = tuple((field.json_name, field.name) for field in fields[:-1])
        self._path = ".".join(field.json_name for field in fields)
        self._field = fields[-1]
        self._leaf = _leaf(self._field)
        self.reserved = reserved

    def add(self, values: dict[str, Any], text: str) -> None:
        """Put one more value; a field that is not repeated takes one only."""
        at = self._parent(values)
        name = self._field.json_name
        value = self._leaf(self._path, text)
        if self._field.is_repeated:
            at.setdefault(name, []).append(value)
        elif name in at:
            raise Misfit(self._path, ONE_VALUE)
        else:
            at[name] = value

    def set(self, values: dict[str, Any], text: str) -> None:
        """Put the value in the place of what the body may say under either name."""
        at = self._parent(values)
        at.pop(self._field.name, None)
        at[self._field.json_name] = self._leaf(self._path, text)

    def _parent(self, values: dict[str, Any]) -> dict[str, Any]:
        at = values
        for json_name, name in self._parents:
            if json_name not in at and name in at:
                at[json_name] = at.pop(name)
            below = at.get(json_name)
            if below is None:
                below = at[json_name] = {}
            elif type(below) is not dict:
                raise Misfit(self._path, OBJECT)
            at = below
        return at


def _place(message: Descriptor, reserved: frozenset[str], path: str) -> _Place | None:
    fields: list[FieldDescriptor] = []
    at: Descriptor | None = message
    for name in path.split("."):
        field = None if at is None else _field(at, name)
        if field is None:
            return None
        fields.append(field)
        at = None if field.is_repeated else field.message_type
    last = fields[-1].message_type
    if last is not None and (is_map(fields[-1]) or last.full_name not in _TEXTS):
        return None
    names = [field.name for field in fields]
    heads = {".".join(names[:end]) for end in range(1, len(names) + 1)}
    return _Place(fields, reserved=not heads.isdisjoint(reserved))


def _field(message: Descriptor, name: str) -> FieldDescriptor | None:
    for field in message.fields:
        if name in (field.json_name, field.name):
            return field
    return None


def _leaf(field: FieldDescriptor) -> Callable[[str, str], Any]:
    """How a text reads as the field's JSON; what stays a text is for the JSON reader to judge."""
    value = field
    if field.message_type is not None:
        if field.message_type.full_name not in _WRAPPERS:
            return _same
        value = field.message_type.fields_by_name["value"]
    return _LEAVES.get(value.cpp_type, _same)


def _same(_path: str, text: str) -> str:
    return text


def _whole(_path: str, text: str) -> int | str:
    return int(text) if _WHOLE.fullmatch(text) else text


def _real(_path: str, text: str) -> float | str:
    return float(text) if _DECIMAL.fullmatch(text) else text


def _flag(path: str, text: str) -> bool:
    value = _FLAGS.get(text)
    if value is None:
        raise Misfit(path, BOOLEAN)
    return value


def _member(_path: str, text: str) -> int | str:
    return int(text) if _ENUM_NUMBER.fullmatch(text) else text


_LEAVES: Final[Mapping[int, Callable[[str, str], Any]]] = MappingProxyType(
    {
        FieldDescriptor.CPPTYPE_INT32: _whole,
        FieldDescriptor.CPPTYPE_INT64: _whole,
        FieldDescriptor.CPPTYPE_UINT32: _whole,
        FieldDescriptor.CPPTYPE_UINT64: _whole,
        FieldDescriptor.CPPTYPE_DOUBLE: _real,
        FieldDescriptor.CPPTYPE_FLOAT: _real,
        FieldDescriptor.CPPTYPE_BOOL: _flag,
        FieldDescriptor.CPPTYPE_ENUM: _member,
    }
)
