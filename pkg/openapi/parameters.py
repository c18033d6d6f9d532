"""Parameters of an operation: in its path, its query, and the headers that the chain reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.openapi import scalars
from pkg.openapi.annotations import annotated
from pkg.openapi.paths import fields_at
from pkg.openapi.shapes import both
from pkg.proto.options import Idempotency
from pkg.proto.schema import is_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from pkg.openapi.inputs import Inputs
    from pkg.openapi.paths import PathItem
    from pkg.openapi.shapes import Json
    from pkg.proto.schema import Schema
    from pkg.rpc.operation import Operation

LANGUAGE: Final = "#/components/parameters/AcceptLanguage"

_KEY: Final = r'^(?:[!#-\[\]-~]{1,255}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")$'

_TEXTS: Final = scalars.WRAPPERS | {
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
}
"""Messages that a query can carry, as one text."""


class Parameters:
    """Makes the parameters of proto operations."""

    def __init__(self, schema: Schema, inputs: Inputs) -> None:
        self._schema = schema
        self._inputs = inputs

    def of_path(self, item: PathItem, message: Descriptor | None) -> Iterator[Json]:
        """One for each slot; texts that are not empty, under the field's rules where it is one."""
        for slot in item.slots:
            made: Json = {"name": slot.name, "in": "path", "required": True}
            if slot.variable is None or message is None:
                yield {**made, "schema": {"type": "string", "minLength": 1}}
                continue
            field = fields_at(message, slot.variable.field)[-1]
            shape = self._shape(field) if slot.whole else {"type": "string"}
            if shape.get("type") == "string" and not shape.get("minLength"):
                shape = {**shape, "minLength": 1}
            yield self._described(made, field, shape)

    def of_query(self, message: Descriptor, taken: frozenset[str]) -> Iterator[Json]:
        """One for each field that text can fill and that neither path nor body has; `taken`: both.

        Fields of messages within messages are named by their path, `page.size`.
        """
        needed = self._inputs.needed(message)
        for path, field in _fillable(message, taken, ()):
            made: Json = {"name": path, "in": "query", "required": path in needed}
            if field.is_repeated:
                made |= {"style": "form", "explode": True}
            yield self._described(made, field, self._shape(field, needed=path in needed))

    def _shape(self, field: FieldDescriptor, *, needed: bool = True) -> Json:
        return self._inputs.field(field, as_text=False, may_be_zero=not needed)

    def _described(self, parameter: Json, field: FieldDescriptor, shape: Json) -> Json:
        told = annotated(self._schema, field, shape)
        text = told.pop("description", None)
        made = {**parameter, **({"description": text} if text else {}), "schema": told}
        if self._schema.option(field, "layout.v1.sensitive"):
            made["schema"] = both(told, {"format": "password"})
        return made


def language_parameter() -> Json:
    """What every operation can be asked in."""
    return {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "description": "Language of messages: zh (default) or en.",
        "schema": {"type": "string"},
        "example": "zh",
    }


def key_parameter(operation: Operation) -> Json | None:
    """What an operation that is done once is told a repetition by; None for any other.

    As `pkg.idempotency.key` reads it, plain or in quotes.
    """
    if operation.idempotency is Idempotency.NONE:
        return None
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": operation.idempotency is Idempotency.REQUIRED,
        "description": "However often a request comes with the same key, it is done once.",
        "schema": {"type": "string", "pattern": _KEY},
    }


def _fillable(
    message: Descriptor, taken: frozenset[str], above: tuple[FieldDescriptor, ...]
) -> Iterator[tuple[str, FieldDescriptor]]:
    for field in message.fields:
        fields = (*above, field)
        proto_path = ".".join(each.name for each in fields)
        if proto_path in taken or is_map(field):
            continue
        inner: Any = field.message_type
        if inner is None or inner.full_name in _TEXTS:
            yield ".".join(each.json_name for each in fields), field
        elif not field.is_repeated and inner.full_name not in scalars.KNOWN:
            outer = {_holder(each) for each in fields}
            if inner.full_name not in outer:
                yield from _fillable(inner, taken, fields)


def _holder(field: FieldDescriptor) -> str:
    found: Any = field.containing_type
    return str(found.full_name)
