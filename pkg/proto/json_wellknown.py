"""How the messages that have a JSON form of their own are read: times, wrappers, Struct, Any, …"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pkg.proto.json_special import SPECIAL
from pkg.proto.json_values import read_duration, read_string, read_timestamp
from pkg.proto.misfit import ARRAY, KNOWN_TYPE, NUMBER, OBJECT, PATHS, SHALLOW, VALUE, Misfit
from pkg.proto.wire_values import DURATION, TIMESTAMP, WRAPPERS

if TYPE_CHECKING:
    from pkg.proto.json_in import Deep, JsonReader

NULLABLE = frozenset({"google.protobuf.Value", "google.protobuf.NullValue"})
"""Types that null is a value of."""

_MASK = re.compile(r"[a-z][A-Za-z0-9.]*", re.ASCII)


def wellknown_reader(reader: JsonReader, name: str) -> Deep | None:
    """None for a message without a form of its own."""
    message: Any = reader.schema.message(name)
    if name == TIMESTAMP:
        return lambda value, _: message(**read_timestamp(value))
    if name == DURATION:
        return lambda value, _: message(**read_duration(value))
    if name in WRAPPERS:
        single = reader.single(message.DESCRIPTOR.fields_by_name["value"])
        return lambda value, levels: message(value=single(value, levels))
    match name:
        case "google.protobuf.FieldMask":
            return lambda value, _: message(paths=_paths(value))
        case "google.protobuf.Struct":
            return _AnyJson(reader).struct
        case "google.protobuf.ListValue":
            return _AnyJson(reader).items
        case "google.protobuf.Value":
            return _AnyJson(reader).value
        case "google.protobuf.Any":
            return _any(reader, message)
    return None


def _paths(value: Any) -> list[str]:
    if type(value) is not str:
        raise Misfit("", PATHS)
    paths = value.split(",") if value else []
    if not all(map(_MASK.fullmatch, paths)):
        raise Misfit("", PATHS)
    return [re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", path) for path in paths]


class _AnyJson:
    """Struct, ListValue and Value: any JSON, as messages that contain each other.

    upb would take nested dicts too, but it reads one for a Struct as the JSON that it stands for.
    """

    def __init__(self, reader: JsonReader) -> None:
        self._struct: Any = reader.schema.message("google.protobuf.Struct")
        self._list: Any = reader.schema.message("google.protobuf.ListValue")
        self._value: Any = reader.schema.message("google.protobuf.Value")

    def struct(self, value: Any, levels: int) -> Any:
        if type(value) is not dict:
            raise Misfit("", OBJECT)
        fields = {}
        for key, item in value.items():
            try:
                fields[read_string(key)] = self.value(item, levels - 2)  # the entry is a level
            except Misfit as misfit:
                raise misfit.below(str(key)) from None
        return self._struct(fields=fields)

    def items(self, value: Any, levels: int) -> Any:
        if type(value) is not list:
            raise Misfit("", ARRAY)
        values = []
        for index, item in enumerate(value):
            try:
                values.append(self.value(item, levels - 1))
            except Misfit as misfit:
                raise misfit.at(index) from None
        return self._list(values=values)

    def value(self, value: Any, levels: int) -> Any:
        if levels <= 0:
            raise Misfit("", SHALLOW)
        if value is None:
            return self._value(null_value=0)
        kind = type(value)
        if kind is bool:
            return self._value(bool_value=value)
        if kind is str:
            return self._value(string_value=read_string(value))
        if kind is dict:
            return self._value(struct_value=self.struct(value, levels - 1))
        if kind is list:
            return self._value(list_value=self.items(value, levels - 1))
        if kind is int or kind is float:
            try:
                return self._value(number_value=float(value))
            except OverflowError:
                raise Misfit("", NUMBER) from None
        raise Misfit("", VALUE)


def _any(reader: JsonReader, message: Any) -> Deep:
    def read(value: Any, levels: int) -> Any:
        if type(value) is not dict:
            raise Misfit("", OBJECT)
        if not value:
            return message()
        url = value.get("@type")
        name = url.rpartition("/")[2] if type(url) is str and "/" in url else ""
        try:
            inner = reader.deep(name)
        except KeyError:
            raise Misfit("@type", KNOWN_TYPE) from None
        if name in SPECIAL:
            found = _below(inner, value.get("value"), levels)
        else:
            rest = {key: item for key, item in value.items() if key != "@type"}
            found = inner(rest, levels - 1)
        return message(type_url=url, value=found.SerializeToString(deterministic=True))

    return read


def _below(inner: Deep, value: Any, levels: int) -> Any:
    if levels <= 0:
        raise Misfit("", SHALLOW)
    try:
        return inner(value, levels - 1)
    except Misfit as misfit:
        raise misfit.below("value") from None
