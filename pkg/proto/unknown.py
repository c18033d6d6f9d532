"""Fields that this process does not know, as they stood on the wire, so that they survive it."""

from __future__ import annotations

from typing import Any

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)


def raw_fields(fields: Any) -> bytes:
    """The bytes of an UnknownFieldSet. upb bounds how deep groups lie in each other."""
    out = bytearray()
    for field in fields:
        kind, data = field.wire_type, field.data
        out += _varint(field.field_number << 3 | kind)
        if kind == _VARINT:
            out += _varint(data)
        elif kind == _FIXED64:
            out += data.to_bytes(8, "little")
        elif kind == _FIXED32:
            out += data.to_bytes(4, "little")
        elif kind == _BYTES:
            out += _varint(len(data))
            out += data
        elif kind == _GROUP:
            out += raw_fields(data)
            out += _varint(field.field_number << 3 | _END_GROUP)
    return bytes(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
