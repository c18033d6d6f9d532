"""betterproto2 objects to JSON, in the shapes of the original contract.

Keys are the json names. Unlike the JSON mapping, 64-bit integers are numbers and nothing is left
out: zero values, `[]` and `{}` are there, an unset optional or message field is null. Of a oneof
only the member that is set is there. Enums are names (numbers where unknown), bytes base64, times
RFC 3339, spans "1.5s".

What a dumper returns is for `orjson.dumps(…, option=JSON_OPTIONS)`: it holds datetimes.

A writer that is told which fields to hide writes a mask in their place, whatever they hold: neither
a value nor how many there are, nor whether there is one. It does so at any depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf.descriptor import FieldDescriptor

from pkg.proto.compiled import Function, compile_function
from pkg.proto.json_special import special_dumper
from pkg.proto.json_values import write_bytes, write_double, write_duration, write_float
from pkg.proto.memo import Memo
from pkg.proto.schema import is_map, real_oneof
from pkg.proto.wire_values import DURATION, TIMESTAMP, WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pkg.proto.codec import Codec

JSON_OPTIONS = orjson.OPT_UTC_Z
MASK = "***"
"""What stands where something is hidden."""

_WRITERS: dict[int, Function] = {
    FieldDescriptor.TYPE_DOUBLE: write_double,
    FieldDescriptor.TYPE_FLOAT: write_float,
    FieldDescriptor.TYPE_BYTES: write_bytes,
}


class JsonWriter:
    """Compiles, once per class, what turns an object into dicts; safe to share between threads."""

    def __init__(
        self, codec: Codec, hides: Callable[[FieldDescriptor], bool] | None = None
    ) -> None:
        """`hides`: asked once for each field, when its message is compiled."""
        self.codec = codec
        self._hides = hides
        self.dumper: Callable[[str], Function] = Memo(
            lambda name: special_dumper(self, name) or self._compile(name)
        )
        """Of a full name: object -> what orjson writes.

        The function raises ValueError for a datetime without a time zone, and for an Any whose type
        is not known.
        """

    def field_writer(self, field: FieldDescriptor) -> Function | None:
        """Of one value of the field; None where the value is JSON as it stands."""
        if field.enum_type is not None:
            if field.enum_type.full_name == "google.protobuf.NullValue":
                return _null
            names = {value.number: value.name for value in field.enum_type.values}
            return lambda number: names.get(number, number)
        if field.message_type is None:
            return _WRITERS.get(field.type)
        full = field.message_type.full_name
        if full == TIMESTAMP:
            return _aware
        if full == DURATION:
            return write_duration
        if full in WRAPPERS:
            return self.field_writer(field.message_type.fields_by_name["value"])
        return self.dumper(full)

    def _compile(self, name: str) -> Function:
        """def dump(m): d = m.__dict__; o = {'id': d['id'], …}; …; return o"""
        names: dict[str, Any] = {}
        items, late = [], []
        for field, attribute, _ in self.codec.fields(name):
            value = f"d[{attribute!r}]"
            if real_oneof(field):
                text = self._shown(field, "v", names)
                late.append(f"    if (v := {value}) is not None: o[{field.json_name!r}] = {text}\n")
            else:
                items.append(f"{field.json_name!r}: {self._shown(field, value, names)}")
        source = (
            f"def dump(m):\n    d = m.__dict__\n    o = {{{', '.join(items)}}}\n"
            f"{''.join(late)}    return o\n"
        )
        return compile_function(source, "dump", names, f"{name} to JSON")

    def _shown(self, field: FieldDescriptor, value: str, names: dict[str, Any]) -> str:
        if self._hides is not None and self._hides(field):
            return repr(MASK)
        if real_oneof(field):
            return self._value(field, field, names, value)
        return self._item(field, value, names)

    def _item(self, field: FieldDescriptor, value: str, names: dict[str, Any]) -> str:
        entry: Any = field.message_type if is_map(field) else None
        if entry:
            item = self._value(entry.fields_by_name["value"], field, names, "v")
            kind = entry.fields_by_name["key"].type
            key = "k" if kind == FieldDescriptor.TYPE_STRING else "str(k)"
            if kind == FieldDescriptor.TYPE_BOOL:
                key = "('true' if k else 'false')"
            return (
                value
                if (key, item) == ("k", "v")
                else (f"{{{key}: {item} for k, v in {value}.items()}}")
            )
        if field.is_repeated:
            item = self._value(field, field, names, "v")
            return value if item == "v" else f"[{item} for v in {value}]"
        if not field.has_presence:
            return self._value(field, field, names, value)
        item = self._value(field, field, names, "v")
        return value if item == "v" else f"({item} if (v := {value}) is not None else None)"

    def _value(
        self, item: FieldDescriptor, field: FieldDescriptor, names: dict[str, Any], value: str
    ) -> str:
        writer = self.field_writer(item)
        if writer is None:
            return value
        names[f"W{field.number}"] = writer
        if writer is write_double:  # which nearly always gives back what it is given
            return f"(x if (x := {value}) - x == 0 else W{field.number}(x))"
        return f"W{field.number}({value})"


def _null(_number: int) -> None:
    return None


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a Timestamp needs a datetime with a time zone")
    return value
