"""Writes and compiles the function that turns a class's objects into upb messages.

def to_upb(m):
    d = m.__dict__
    p = PB(id=d['id'], at=T5(v, 'x.v1.M.at') if (v := d['at']) is not None else None, ...)
    if d['_unknown_fields']: p.MergeFromString(d['_unknown_fields'])
    return p
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from pkg.proto.compiled import Function, compile_function
from pkg.proto.schema import is_map
from pkg.proto.wire_values import DURATION, TIMESTAMP, WRAPPERS, to_duration, to_timestamp

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor

    from pkg.proto.codec import Codec

_PARTS = {TIMESTAMP: to_timestamp, DURATION: to_duration}


def to_upb_function(codec: Codec, name: str) -> Function:
    """Of the message with this full name."""
    message: Any = codec.schema.message(name)
    names: dict[str, Any] = {"PB": message, "merge": message.MergeFromString}
    plain, quoted = [], []
    for field, attribute, _ in codec.fields(name):
        text = _argument(codec, field, f"d[{attribute!r}]", names)
        if keyword.iskeyword(field.name):
            quoted.append(f"{field.name!r}: {text}")
        else:
            plain.append(f"{field.name}={text}")
    if quoted:
        plain.append(f"**{{{', '.join(quoted)}}}")
    source = (
        "def to_upb(m):\n"
        "    d = m.__dict__\n"
        "    try:\n"
        f"        p = PB({', '.join(plain)})\n"
        "    except (TypeError, ValueError) as error:\n"
        f"        error.add_note({f'in a {name}'!r})\n"
        "        raise\n"
        "    if d['_unknown_fields']: merge(p, d['_unknown_fields'])\n"
        "    return p\n"
    )
    return compile_function(source, "to_upb", names, f"{name} to upb")


def _argument(codec: Codec, field: FieldDescriptor, value: str, names: dict[str, Any]) -> str:
    """Expression for one keyword of upb's constructor; None there means unset."""
    entry: Any = field.message_type if is_map(field) else None
    item: Any = entry.fields_by_name["value"] if entry else field
    text = _value(codec, item, field, names)
    if text == "v":
        return value
    if entry:
        # In a map, upb takes messages only.
        full = item.message_type.full_name
        if full in _PARTS or full in WRAPPERS:
            names[f"M{field.number}"] = codec.schema.message(full)
            text = f"M{field.number}(**{text})"
        return f"{{k: {text} for k, v in {value}.items()}}"
    if field.is_repeated:
        return f"[{text} for v in {value}]"
    return f"({text} if (v := {value}) is not None else None)"


def _value(
    codec: Codec, item: FieldDescriptor, field: FieldDescriptor, names: dict[str, Any]
) -> str:
    """Expression for one value `v`; `item` is the field itself or the value of its map."""
    if item.message_type is None:
        return "v"
    full = item.message_type.full_name
    if full in WRAPPERS:
        return "{'value': v}"
    if full in _PARTS:
        names[f"T{field.number}"] = _PARTS[full]
        return f"T{field.number}(v, {field.full_name!r})"
    names[f"T{field.number}"] = codec.to_upb(full)
    return f"T{field.number}(v)"
