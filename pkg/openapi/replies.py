"""Schemas of what is sent: every key is there, and each value has one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from pkg.openapi import scalars
from pkg.openapi.annotations import annotated
from pkg.openapi.oneofs import reply_oneofs
from pkg.openapi.shapes import both, either, nullable
from pkg.proto.schema import is_map, real_oneof

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor

    from pkg.openapi.shapes import Json
    from pkg.proto.schema import Schema


class Replies:
    """Collects the schemas of reply messages under the names that `name_of` gives them."""

    def __init__(self, schema: Schema, name_of: Callable[[str], str]) -> None:
        self._schema = schema
        self._name_of = name_of
        self.schemas: dict[str, Json] = {}

    def message(self, message: Descriptor) -> Json:
        """A reference to the message's schema; the schema itself for one with a form of its own."""
        if message.full_name in scalars.KNOWN:
            return dict(scalars.KNOWN[message.full_name])
        if message.full_name in scalars.WRAPPERS:
            return self._value(message.fields_by_name["value"])
        name = self._name_of(message.full_name)
        if name not in self.schemas:
            self.schemas[name] = {}  # a message may contain itself
            self.schemas[name].update(self._object(message))
        return {"$ref": f"#/components/schemas/{name}"}

    def field(self, field: FieldDescriptor) -> Json:
        """A field's value, as it stands in a reply."""
        if is_map(field):
            entry: Any = field.message_type
            key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
            made: Json = {"type": "object", "additionalProperties": self._value(value)}
            if names := scalars.map_key(key):
                made["propertyNames"] = names
        elif field.is_repeated:
            made = {"type": "array", "items": self._value(field)}
        else:
            made = self._value(field)
            if field.has_presence and not real_oneof(field):
                made = nullable(made)
        return annotated(self._schema, field, made)

    def _value(self, field: FieldDescriptor) -> Json:
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            if field.enum_type.full_name in scalars.NULL_TOO:
                return {"type": "null"}
            names: Json = {
                "type": "string",
                "enum": [value.name for value in field.enum_type.values],
            }
            return either(names, {"type": "integer", "format": "int32"})
        if field.type in scalars.INTEGERS:
            return {"type": "integer", "format": scalars.integer_format(field)}
        if field.type in scalars.REALS:
            return either(scalars.real(field), {"enum": list(scalars.NOT_FINITE)})
        if field.type == FieldDescriptor.TYPE_BOOL:
            return {"type": "boolean"}
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return {"type": "string"}

    def _object(self, message: Descriptor) -> Json:
        made: Json = {"type": "object"}
        if text := self._schema.comment(message.full_name):
            made["description"] = text
        made["properties"] = {field.json_name: self.field(field) for field in message.fields}
        always = [field.json_name for field in message.fields if not real_oneof(field)]
        if always:
            made["required"] = always
        return both(made, *reply_oneofs(message))
