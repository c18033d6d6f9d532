"""Schemas of what is accepted: as exact as JSON Schema allows, because callers are held to it.

What the JSON reader takes is in them: a number's text, null for "not given", any other key. What
JSON Schema cannot say (CEL, comparisons of times) stands beside as `x-rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor

from pkg.errors import Fault
from pkg.openapi import number_rules, scalars
from pkg.openapi.annotations import annotated
from pkg.openapi.oneofs import oneof_rules
from pkg.openapi.shapes import both, either, none_of, nullable
from pkg.openapi.string_rules import string_rules
from pkg.openapi.unsaid import x_rules
from pkg.openapi.zero import zeros
from pkg.proto.schema import is_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor

    from pkg.openapi.shapes import Json
    from pkg.rpc.registry import Registry

_IF_ZERO: Final = 1
_ALWAYS: Final = 3


class Inputs:
    """Collects the schemas of request messages under the names that `name_of` gives them."""

    def __init__(self, registry: Registry, name_of: Callable[[str], str]) -> None:
        self._registry = registry
        self._schema = registry.schema
        self._name_of = name_of
        self.schemas: dict[str, Json] = {}

    def message(self, message: Descriptor) -> Json:
        """A reference to the message's schema; the schema itself for one with a form of its own."""
        if message.full_name in scalars.KNOWN:
            return dict(scalars.KNOWN[message.full_name])
        if message.full_name in scalars.WRAPPERS:
            return self.value(message.fields_by_name["value"], None, as_text=True)
        name = self._name_of(message.full_name)
        if name not in self.schemas:
            self.schemas[name] = {}  # a message may contain itself
            self.schemas[name].update(self._object(message))
        return {"$ref": f"#/components/schemas/{name}"}

    def needed(self, message: Descriptor) -> frozenset[str]:
        """Names of the fields without which the message is refused: what an empty one lacks."""
        try:
            self._registry.rules.check(self._schema.message(message.full_name)())
        except Fault as fault:
            names = {field.json_name for field in message.fields}
            return frozenset(each.field for each in fault.violations) & names
        return frozenset()

    def body(self, message: Descriptor, bound: frozenset[str]) -> tuple[Json, bool]:
        """A body for the whole message but for what the path says, and whether there must be one.

        `bound`: fields, by their proto names, that the path fills.
        """
        names = {field.json_name for field in message.fields if field.name not in bound}
        required = bool(self.needed(message) & names)
        if len(names) == len(message.fields):
            return self.message(message), required
        return self._object(message, bound), required

    def property(self, field: FieldDescriptor, *, needed: bool) -> Json:
        """A field in a body."""
        made = self.field(field, as_text=True, may_be_zero=not needed)
        if not needed and not _null_is_a_value(field):
            made = nullable(made)
        made = annotated(self._schema, field, made)
        if self._schema.option(field, "layout.v1.sensitive"):
            made |= {"format": "password", "writeOnly": True}
        return made

    def field(self, field: FieldDescriptor, *, as_text: bool, may_be_zero: bool = True) -> Json:
        """A value that is given, under the field's rules."""
        rules = self._rules(field)
        ignore = rules.ignore if rules is not None else 0
        if ignore == _ALWAYS:
            rules = None
        if is_map(field):
            made = self._map(field, rules)
        elif field.is_repeated:
            made = self._list(field, rules, as_text=as_text)
        else:
            made = self.value(field, rules, as_text=as_text)
        if rules is None:
            return made
        empty = zeros(field, as_text=as_text)
        if rules.required and not field.has_presence:
            made = both(made, _filled(field) or none_of(empty))
        elif ignore == _IF_ZERO and may_be_zero and empty and _narrowed(rules):
            made = either({"enum": empty}, made)
        return made

    def value(self, field: FieldDescriptor, rules: Any, *, as_text: bool) -> Json:
        """One value of the field, an item of it if it is repeated."""
        typed, kind = None, None
        if rules is not None and (kind := rules.WhichOneof("type")) is not None:
            typed = getattr(rules, kind)
        unsaid: list[str] = []
        made = self._typed(field, typed, kind or "", unsaid, as_text=as_text)
        return made | x_rules(self._schema, field, rules, "layout.v1.field_rule", unsaid)

    def _typed(
        self, field: FieldDescriptor, typed: Any, kind: str, unsaid: list[str], *, as_text: bool
    ) -> Json:
        if field.message_type is not None:
            return self._nested(field.message_type, typed, kind, unsaid, as_text=as_text)
        if field.enum_type is not None:
            made = number_rules.enum(field.enum_type, typed)
            return nullable(made) if field.enum_type.full_name in scalars.NULL_TOO else made
        if field.type in scalars.INTEGERS:
            return number_rules.integer(field, typed, as_text=as_text)
        if field.type in scalars.REALS:
            return number_rules.real(field, typed, as_text=as_text)
        if field.type == FieldDescriptor.TYPE_BOOL:
            said = typed is not None and typed.HasField("const")
            return {"type": "boolean", **({"const": typed.const} if said else {})}
        if field.type == FieldDescriptor.TYPE_BYTES:
            unsaid += _names(typed, kind)
            return scalars.base64()
        if typed is None:
            return {"type": "string"}
        keywords, rest = string_rules(typed)
        unsaid += rest
        return both({"type": "string"}, keywords)

    def _nested(
        self, message: Descriptor, typed: Any, kind: str, unsaid: list[str], *, as_text: bool
    ) -> Json:
        if message.full_name in scalars.WRAPPERS:
            inner = message.fields_by_name["value"]
            return self._typed(inner, typed, kind, unsaid, as_text=as_text)
        unsaid += _names(typed, kind)
        return self.message(message)

    def _list(self, field: FieldDescriptor, rules: Any, *, as_text: bool) -> Json:
        typed = rules.repeated if rules is not None and rules.HasField("repeated") else None
        items = typed.items if typed is not None and typed.HasField("items") else None
        made: Json = {"type": "array", "items": self._item(field, items, as_text=as_text)}
        if typed is not None:
            if typed.HasField("min_items"):
                made["minItems"] = int(typed.min_items)
            if typed.HasField("max_items"):
                made["maxItems"] = int(typed.max_items)
            if typed.unique:
                made["uniqueItems"] = True
        return made | x_rules(self._schema, field, rules, "layout.v1.field_rule")

    def _map(self, field: FieldDescriptor, rules: Any) -> Json:
        entry: Any = field.message_type
        typed = rules.map if rules is not None and rules.HasField("map") else None
        keys = typed.keys if typed is not None and typed.HasField("keys") else None
        values = typed.values if typed is not None and typed.HasField("values") else None
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        made: Json = {
            "type": "object",
            "additionalProperties": self._item(value, values, as_text=True),
        }
        names = scalars.map_key(key)
        if keys is not None and key.type == FieldDescriptor.TYPE_STRING:
            names = both(names, string_rules(keys.string)[0])
        if names:
            made["propertyNames"] = names
        if typed is not None:
            if typed.HasField("min_pairs"):
                made["minProperties"] = int(typed.min_pairs)
            if typed.HasField("max_pairs"):
                made["maxProperties"] = int(typed.max_pairs)
        return made | x_rules(self._schema, field, rules, "layout.v1.field_rule")

    def _item(self, field: FieldDescriptor, rules: Any, *, as_text: bool) -> Json:
        if rules is None or rules.ignore == _ALWAYS:
            return self.value(field, None, as_text=as_text)
        made = self.value(field, rules, as_text=as_text)
        if rules.ignore == _IF_ZERO and (empty := zeros(field, as_text=as_text, item=True)):
            made = either({"enum": empty}, made)
        return made

    def _object(self, message: Descriptor, without: frozenset[str] = frozenset()) -> Json:
        fields = [field for field in message.fields if field.name not in without]
        needed = self.needed(message) & {field.json_name for field in fields}
        made: Json = {"type": "object"}
        if text := self._schema.comment(message.full_name):
            made["description"] = text
        made["properties"] = {
            field.json_name: self.property(field, needed=field.json_name in needed)
            for field in fields
        }
        if needed:
            made["required"] = [field.json_name for field in fields if field.json_name in needed]
        option = self._schema.option(message, "buf.validate.message")
        made = both(made, *oneof_rules(self._schema, message, option))
        return made | x_rules(self._schema, message, option, "layout.v1.message_rule")

    def _rules(self, field: FieldDescriptor) -> Any:
        return self._schema.option(field, "buf.validate.field")


def _null_is_a_value(field: FieldDescriptor) -> bool:
    kind = field.message_type or field.enum_type
    return not field.is_repeated and kind is not None and kind.full_name in scalars.NULL_TOO


def _narrowed(rules: Any) -> bool:
    """Do the rules say anything that a zero value could break?"""
    return bool(rules.WhichOneof("type") or rules.cel or rules.cel_expression)


def _filled(field: FieldDescriptor) -> Json:
    """What makes a list or map, and so neither number nor text, more than empty."""
    if is_map(field):
        return {"minProperties": 1}
    return {"minItems": 1} if field.is_repeated else {}


def _names(typed: Any, kind: str) -> list[str]:
    """Ids of the rules that are set, of a type whose rules have no keywords."""
    return [f"{kind}.{field.name}" for field, _ in typed.ListFields()] if typed is not None else []
