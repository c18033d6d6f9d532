"""Groups of fields of which one may, or must, be given."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from pkg.openapi.zero import zeros
from pkg.proto.schema import real_oneof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from pkg.openapi.shapes import Json
    from pkg.proto.schema import Schema


def oneof_rules(schema: Schema, message: Descriptor, option: Any) -> Iterator[Json]:
    """What a body must hold to; `option`: the message's buf.validate.message, or None."""
    for oneof in message.oneofs:
        members = [field for field in oneof.fields if real_oneof(field)]
        if members:
            rules = schema.option(oneof, "buf.validate.oneof")
            required = rules is not None and rules.required
            yield from _at_most_one([_given(field) for field in members], required=required)
    for rule in getattr(option, "oneof", ()):
        members = [message.fields_by_name[name] for name in rule.fields]
        yield from _at_most_one([_set(field) for field in members], required=rule.required)


def reply_oneofs(message: Descriptor) -> Iterator[Json]:
    """What a reply holds to: of a oneof the member that is set is there, and no other."""
    for oneof in message.oneofs:
        members = [field for field in oneof.fields if real_oneof(field)]
        yield from _at_most_one([{"required": [each.json_name]} for each in members])


def _at_most_one(tests: list[Json], *, required: bool = False) -> Iterator[Json]:
    if required:
        yield {"anyOf": tests}
    for pair in combinations(tests, 2):
        yield {"not": {"allOf": list(pair)}}


def _given(field: FieldDescriptor) -> Json:
    """Null is "not given"."""
    return _other_than(field, {"type": "null"})


def _set(field: FieldDescriptor) -> Json:
    """For a field without presence, its zero value is "not set"."""
    if field.has_presence:
        return _given(field)
    return _other_than(field, {"enum": [None, *zeros(field, as_text=True)]})


def _other_than(field: FieldDescriptor, nothing: Json) -> Json:
    name = field.json_name
    return {"required": [name], "properties": {name: {"not": nothing}}}
