"""What is said of a field for people: its comment and its example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor

    from pkg.openapi.shapes import Json
    from pkg.proto.schema import Schema

NOTHING: Final = object()
"""There is no example."""


def example_of(schema: Schema, field: FieldDescriptor) -> Any:
    """The field's `layout.v1.example`; `NOTHING` without one.

    Raises:
        ValueError: it is no JSON. The build refuses that first.
    """
    text = schema.option(field, "layout.v1.example")
    return NOTHING if text is None else orjson.loads(text)


def annotated(schema: Schema, field: FieldDescriptor, shape: Json) -> Json:
    """The shape with description and example."""
    made = dict(shape)
    if text := schema.comment(field.full_name):
        made["description"] = text
    example = example_of(schema, field)
    if example is not NOTHING:
        made["examples"] = [example]
    return made
