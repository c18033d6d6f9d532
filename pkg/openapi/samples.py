"""A whole request as an example, made of the examples of its fields.

A field without an example that is needed gets a value made up from its rules. What comes out is
read and checked as a request would be; if that refuses it, there is no example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor

from pkg.errors import Fault
from pkg.openapi import scalars
from pkg.openapi.annotations import NOTHING, example_of
from pkg.proto.misfit import Misfit
from pkg.proto.schema import is_map, real_oneof

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from pkg.openapi.inputs import Inputs
    from pkg.openapi.shapes import Json
    from pkg.rpc.registry import Registry

_DEEPEST: Final = 8
_TEXT: Final = "string"


class Samples:
    """Makes examples."""

    def __init__(self, registry: Registry, inputs: Inputs) -> None:
        self._registry = registry
        self._schema = registry.schema
        self._inputs = inputs

    def message(self, message: Descriptor, without: frozenset[str] = frozenset()) -> Any:
        """An example of the whole message that would be accepted; `NOTHING` where none is found.

        `without`: fields, by their proto names, that come from elsewhere.
        """
        made = self._object(message, _DEEPEST)
        if not self._accepted(message, made):
            return NOTHING
        for field in message.fields:
            if field.name in without:
                made.pop(field.json_name, None)
        return made or NOTHING

    def field(self, message: Descriptor, name: str) -> Any:
        """An example of one field of it."""
        made = self._value(message.fields_by_name[name], _DEEPEST, needed=True)
        return NOTHING if made is None else made

    def _accepted(self, message: Descriptor, value: Any) -> bool:
        try:
            found = self._registry.json_in.loader(message.full_name)(value)
            self._registry.rules.check(found)
        except (Misfit, Fault):
            return False
        return True

    def _object(self, message: Descriptor, levels: int) -> Json:
        needed = self._inputs.needed(message)
        oneofs: set[str] = set()
        made: Json = {}
        for field in message.fields:
            group = real_oneof(field)
            if group in oneofs:
                continue
            must = field.json_name in needed or bool(group)
            value = self._value(field, levels, needed=must)
            if value is not None:
                made[field.json_name] = value
                if group:
                    oneofs.add(group)
        return made

    def _value(self, field: FieldDescriptor, levels: int, *, needed: bool) -> Any:
        """None: nothing to show, or too deep."""
        example = example_of(self._schema, field)
        if example is not NOTHING:
            return example
        if levels == 0 or is_map(field):
            return None
        inner: Any = field.message_type
        if inner is not None and not (
            inner.full_name in scalars.KNOWN or inner.full_name in scalars.WRAPPERS
        ):
            found: Any = self._object(inner, levels - 1) or None
        else:
            found = self._made_up(field) if needed else None
        return [found] if field.is_repeated and found is not None else found

    def _made_up(self, field: FieldDescriptor) -> Any:
        rules = self._schema.option(field, "buf.validate.field")
        if rules is not None and field.is_repeated:
            rules = rules.repeated.items
        kind = rules.WhichOneof("type") if rules is not None else None
        typed = getattr(rules, kind) if kind else None
        if typed is not None and (members := list(getattr(typed, "in", ()))):
            return members[0]
        if field.type == FieldDescriptor.TYPE_STRING:
            return _text(typed)
        if field.type in scalars.INTEGERS:
            return _number(typed)
        return None


def _text(rules: Any) -> str:
    """The word `string`, drawn out or cut to length."""
    if rules is None:
        return _TEXT
    low = int(rules.len or rules.min_len)
    high = int(rules.len or rules.max_len) or 1 << 16
    text: str = rules.prefix + _TEXT
    return (text * (low // len(text) + 1))[: max(low, min(len(text), high))]


def _number(rules: Any) -> int:
    if rules is None:
        return 1
    if rules.HasField("gte"):
        return max(1, int(rules.gte))
    return int(rules.gt) + 1 if rules.HasField("gt") else 1
