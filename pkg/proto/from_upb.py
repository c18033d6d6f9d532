"""Writes and compiles the function that turns upb messages into a class's objects.

def from_upb(p):
    u = Unknown(p)
    o = new(C)
    o.__dict__ = {'id': p.id, 'at': T5(p.at) if has(p, 'at') else None, ...,
                  '_unknown_fields': raw(u) if len(u) else b''}
    return o
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from google.protobuf.unknown_fields import UnknownFieldSet

from pkg.proto.compiled import Function, compile_function
from pkg.proto.schema import is_map
from pkg.proto.unknown import raw_fields
from pkg.proto.wire_values import DURATION, TIMESTAMP, WRAPPERS, from_duration, from_timestamp

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor

    from pkg.proto.codec import BoundField, Codec

_WHOLE = {TIMESTAMP: from_timestamp, DURATION: from_duration}


class _Members(dict[int, Any]):
    """Members of an enum by number. Unknown numbers are not kept: callers choose them."""

    def __init__(self, enum: Any) -> None:
        super().__init__(enum._value2member_map_)
        self._enum = enum

    def __missing__(self, number: int) -> Any:
        return self._enum(number)


def from_upb_function(codec: Codec, name: str) -> Function:
    """Of the message with this full name."""
    cls, message = codec.class_of(name), codec.schema.message(name)
    names: dict[str, Any] = {
        "C": cls,
        "new": cls.__new__,
        # Unbound, because a field may be called HasField.
        "has": message.HasField,
        "Unknown": UnknownFieldSet,
        "raw": raw_fields,
    }
    items = [
        f"{bound.attribute!r}: {_attribute(codec, bound, names)}" for bound in codec.fields(name)
    ]
    items.append("'_unknown_fields': raw(u) if len(u) else b''")
    source = (
        "def from_upb(p):\n"
        "    u = Unknown(p)\n"
        "    o = new(C)\n"
        f"    o.__dict__ = {{{', '.join(items)}}}\n"
        "    return o\n"
    )
    return compile_function(source, "from_upb", names, f"{name} from upb")


def _attribute(codec: Codec, bound: BoundField, names: dict[str, Any]) -> str:
    """Expression for what the object holds."""
    field = bound.descriptor
    value = f"getattr(p, {field.name!r})" if keyword.iskeyword(field.name) else f"p.{field.name}"
    entry: Any = field.message_type if is_map(field) else None
    item = entry.fields_by_name["value"] if entry else field
    if entry:
        text = _value(codec, item, bound, names, "w")
        return f"dict({value})" if text == "w" else f"{{k: {text} for k, w in {value}.items()}}"
    if field.is_repeated:
        text = _value(codec, item, bound, names, "w")
        return f"{value}[:]" if text == "w" else f"[{text} for w in {value}]"
    text = _value(codec, item, bound, names, value)
    return f"{text} if has(p, {field.name!r}) else None" if field.has_presence else text


def _value(
    codec: Codec, item: FieldDescriptor, bound: BoundField, names: dict[str, Any], value: str
) -> str:
    """Expression that turns the expression `value` of upb's side into ours."""
    number = bound.descriptor.number
    if item.enum_type is not None:
        names[f"E{number}"] = _Members(bound.type)
        return f"E{number}[{value}]"
    if item.message_type is None:
        return value
    full = item.message_type.full_name
    if full in WRAPPERS:
        return f"{value}.value"
    names[f"T{number}"] = _WHOLE.get(full) or codec.from_upb(full)
    return f"T{number}({value})"
