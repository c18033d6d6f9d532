"""How the messages that have a JSON form of their own are written: Struct, Any, FieldMask, …"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pkg.proto.json_values import write_double, write_duration
from pkg.proto.wire_values import DURATION, TIMESTAMP, WRAPPERS, from_duration, from_timestamp

if TYPE_CHECKING:
    from pkg.proto.compiled import Function
    from pkg.proto.json_out import JsonWriter

_ANY = "google.protobuf.Any"
_MASK = "google.protobuf.FieldMask"
_STRUCT = "google.protobuf.Struct"
_LIST = "google.protobuf.ListValue"
_VALUE = "google.protobuf.Value"

SPECIAL = frozenset({_ANY, _MASK, _STRUCT, _LIST, _VALUE, TIMESTAMP, DURATION}) | WRAPPERS
"""Messages whose JSON is not an object of their fields; in an Any it lies under `value`."""


def special_dumper(writer: JsonWriter, name: str) -> Function | None:
    """None for a message without a form of its own."""
    if name == TIMESTAMP:
        return from_timestamp
    if name == DURATION:
        return lambda message: write_duration(from_duration(message))
    if name == _MASK:
        return lambda message: ",".join(_camel(path) for path in message.paths)
    if name == _STRUCT:
        return _struct
    if name == _LIST:
        return _items
    if name == _VALUE:
        return _value
    if name == _ANY:
        return _any(writer)
    if name in WRAPPERS:
        field = writer.codec.schema.pool.FindMessageTypeByName(name).fields_by_name["value"]
        write = writer.field_writer(field)
        return lambda message: write(message.value) if write else message.value
    return None


def _camel(path: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), path)


def _struct(message: Any) -> dict[str, Any]:
    return {key: _value(value) for key, value in message.fields.items()}


def _items(message: Any) -> list[Any]:
    return [_value(value) for value in message.values]


def _value(message: Any) -> Any:
    if message.struct_value is not None:
        return _struct(message.struct_value)
    if message.list_value is not None:
        return _items(message.list_value)
    if message.number_value is not None:
        return write_double(message.number_value)
    if message.bool_value is not None:
        return message.bool_value
    return message.string_value


def _any(writer: JsonWriter) -> Function:
    def dump(message: Any) -> dict[str, Any]:
        name = message.type_url.rpartition("/")[2]
        if not name:
            return {}
        try:
            decode = writer.codec.decoder(name)
        except KeyError:
            raise ValueError(f"an Any holds {name}, which is not known here") from None
        value = writer.dumper(name)(decode(message.value))
        if name in SPECIAL:
            return {"@type": message.type_url, "value": value}
        return {"@type": message.type_url, **value}

    return dump
