"""What Python says of a message, beside what the engine says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import protovalidate

from pkg.proto.codec import BoundField
from pkg.proto.schema import is_map
from pkg.proto.wire_values import WRAPPERS
from pkg.validation import Acceptance, Rules

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

    from pkg.proto.schema import Schema


class Both:
    """The rules of a schema, kept by objects and by messages; it needs no generated classes."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.rules = Rules(schema)
        self._engine = protovalidate.Validator()
        codec: Any = _Fields(schema)
        self.acceptance = Acceptance(codec, self.rules)

    def python(self, message: Message) -> bool:
        """Is its object accepted?"""
        name = message.DESCRIPTOR.full_name
        return self.acceptance.test(name)(as_object(message))

    def engine(self, message: Message) -> bool:
        """Does it keep the rules?

        Raises:
            protovalidate.CompilationError: they are wrong.
        """
        try:
            return not self._engine.collect_violations(message, fail_fast=True)
        except protovalidate.EvaluationError:
            return False


class _Fields:
    """The part of the codec that says which attribute is which field."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def fields(self, name: str) -> tuple[BoundField, ...]:
        found = self.schema.pool.FindMessageTypeByName(name).fields
        return tuple(BoundField(field, field.name, None) for field in found)


def as_object(message: Any) -> Any:
    """The attributes that the codec would give to the object of the message."""
    return SimpleNamespace(
        **{field.name: _attribute(message, field) for field in message.DESCRIPTOR.fields}
    )


def _attribute(message: Any, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if is_map(field):
        entry: Any = field.message_type
        inner = entry.fields_by_name["value"]
        return {key: _value(item, inner) for key, item in value.items()}
    if field.is_repeated:
        return [_value(item, field) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _value(value, field)


def _value(value: Any, field: FieldDescriptor) -> Any:
    if field.message_type is None:
        return value
    return value.value if field.message_type.full_name in WRAPPERS else as_object(value)
