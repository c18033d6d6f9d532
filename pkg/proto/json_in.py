"""JSON to upb messages, which the validator and the codec take.

Takes every form of the JSON mapping: json and proto names, numbers as text, enums by name or
number, null for unset. Stricter than protobuf's json_format: integers and doubles must be exact, a
key or a field may not come twice, strings must be Unicode, at most 100 levels. Unknown keys are
passed over unless the reader is strict. Every Misfit says where the fault lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from pkg.proto.json_collections import list_reader, map_reader
from pkg.proto.json_text import parse
from pkg.proto.json_values import (
    INT_RANGES,
    Reader,
    enum_reader,
    integer_reader,
    read_boolean,
    read_bytes,
    read_string,
    real_reader,
)
from pkg.proto.json_wellknown import NULLABLE, wellknown_reader
from pkg.proto.memo import Memo
from pkg.proto.misfit import DISTINCT, KNOWN, OBJECT, ONLY_ONE_OF, SHALLOW, Misfit
from pkg.proto.schema import is_map, real_oneof

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from pkg.proto.codec import Codec

__all__ = ["JsonReader", "Misfit", "parse"]

Deep = Callable[[Any, int], Any]
"""A reader that is told how many levels are left, counted as on the wire."""

_LEVELS = 100

_READERS: dict[int, Reader] = {
    FieldDescriptor.TYPE_BOOL: read_boolean,
    FieldDescriptor.TYPE_STRING: read_string,
    FieldDescriptor.TYPE_BYTES: read_bytes,
    FieldDescriptor.TYPE_DOUBLE: real_reader(FieldDescriptor.TYPE_DOUBLE),
    FieldDescriptor.TYPE_FLOAT: real_reader(FieldDescriptor.TYPE_FLOAT),
    **{kind: integer_reader(kind) for kind in INT_RANGES},
}


class JsonReader:
    """Builds, once per message, what reads it; safe to share between threads."""

    def __init__(self, codec: Codec, *, strict: bool = False) -> None:
        """`strict` refuses unknown keys instead of passing over them."""
        self.schema = codec.schema
        self.strict = strict
        self.deep: Callable[[str], Deep] = Memo(
            lambda name: wellknown_reader(self, name) or self._message(name)
        )
        """As `loader`, for a message that lies in another."""

    def loader(self, name: str) -> Callable[[Any], Message]:
        """What `parse` gave -> upb message with this full name. The function raises Misfit."""
        read = self.deep(name)
        return lambda value: read(value, _LEVELS)

    def single(self, field: FieldDescriptor) -> Deep:
        """Reads one value of the field."""
        if field.message_type is not None:
            return self.deep(field.message_type.full_name)
        flat = enum_reader(field.enum_type) if field.enum_type else _READERS[field.type]
        return lambda value, _: flat(value)

    def _field(self, field: FieldDescriptor) -> Deep:
        if is_map(field):
            entry: Any = field.message_type
            value = entry.fields_by_name["value"]
            return map_reader(entry.fields_by_name["key"], self.single(value), _null(value))
        if field.is_repeated:
            return list_reader(self.single(field), _null(field))
        return self.single(field)

    def _message(self, name: str) -> Deep:
        message: Any = self.schema.message(name)
        descriptor = message.DESCRIPTOR
        readers = {field.name: self._field(field) for field in descriptor.fields}
        oneofs = {field.name: real_oneof(field) for field in descriptor.fields}
        nullable = {
            field.name for field in descriptor.fields if not field.is_repeated and _null(field)
        }
        names = {field.name: field.name for field in descriptor.fields}
        names.update((field.json_name, field.name) for field in descriptor.fields)
        strict = self.strict

        def read(value: Any, levels: int) -> Any:
            if type(value) is not dict:
                raise Misfit("", OBJECT)
            if levels <= 0:
                raise Misfit("", SHALLOW)
            found: dict[str, Any] = {}
            seen: set[str] = set()
            filled: dict[str, str] = {}
            for key, item in value.items():
                field = names.get(key)
                if field is None:
                    if strict:
                        raise Misfit("", KNOWN).below(key)
                    continue
                if field in seen:
                    raise Misfit("", DISTINCT).below(key)
                seen.add(field)
                if item is None and field not in nullable:
                    continue
                oneof = oneofs[field]
                if oneof and filled.setdefault(oneof, field) != field:
                    raise Misfit("", f"{ONLY_ONE_OF}{filled[oneof]}, {field}").below(key)
                try:
                    found[field] = readers[field](item, levels - 1)
                except Misfit as misfit:
                    raise misfit.below(key) from None
            return message(**found)

        return read


def _null(field: FieldDescriptor) -> bool:
    """Is null a value of the field, and not its absence?"""
    kind = field.message_type or field.enum_type
    return kind is not None and kind.full_name in NULLABLE
