"""Zero values, which is what a field without presence has that was not given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from pkg.openapi import scalars
from pkg.proto.schema import is_map

if TYPE_CHECKING:
    from collections.abc import Sequence


def zeros(field: FieldDescriptor, *, as_text: bool, item: bool = False) -> list[Any]:
    """Every spelling of the field's zero value; none for a message.

    `item`: of one item of a repeated field. `as_text`: numbers may come as text.
    """
    if is_map(field):
        return [{}]
    if field.is_repeated and not item:
        return [[]]
    if field.message_type is not None:
        return []
    if field.enum_type is not None:
        return [*_zero_names(field.enum_type.values), 0]
    if field.type in scalars.INTEGERS | scalars.REALS:
        return [0, "0"] if as_text else [0]
    return [False] if field.type == FieldDescriptor.TYPE_BOOL else [""]


def _zero_names(values: Sequence[Any]) -> list[str]:
    return [value.name for value in values if value.number == 0]
