"""The forms that single values have in JSON, before any rule is put on them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor

from pkg.proto.json_values import INT_RANGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.openapi.shapes import Json

_F = FieldDescriptor
REALS: Final = frozenset({_F.TYPE_DOUBLE, _F.TYPE_FLOAT})
INTEGERS: Final = frozenset(INT_RANGES)
_GREATEST_FLOAT: Final = 3.4028235e38

NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")
DURATION_TEXT: Final = r"^-?[0-9]{1,11}(?:\.[0-9]{1,9})?s$"
_BASE64: Final = r"^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}={0,2}|[A-Za-z0-9+/_-]{3}=?)?$"
_PATHS: Final = r"^(?:[a-z][A-Za-z0-9.]*(?:,[a-z][A-Za-z0-9.]*)*)?$"

WRAPPERS: Final = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in (
        "Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes",
    )
)  # fmt: skip

KNOWN: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
        "google.protobuf.Duration": {
            "type": "string",
            "pattern": DURATION_TEXT,
            "examples": ["1.5s"],
        },
        "google.protobuf.FieldMask": {"type": "string", "pattern": _PATHS},
        "google.protobuf.Struct": {"type": "object"},
        "google.protobuf.Value": {},
        "google.protobuf.ListValue": {"type": "array", "items": {}},
        "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}},
    }
)
"""Messages that JSON does not write as an object of their fields; wrappers are the rest."""

NULL_TOO: Final = frozenset({"google.protobuf.Value", "google.protobuf.NullValue"})
"""Types that null is a value of."""


def integer_bounds(field: FieldDescriptor) -> tuple[int, int]:
    """The least and the greatest value of the field's type."""
    low, behind = INT_RANGES[field.type]
    return low, behind - 1


def integer_format(field: FieldDescriptor) -> str:
    low, high = integer_bounds(field)
    return f"{'' if low else 'u'}int{64 if high >= 2**32 else 32}"


def real(field: FieldDescriptor) -> Json:
    """A finite number."""
    if field.type == _F.TYPE_DOUBLE:
        return {"type": "number", "format": "double"}
    return {
        "type": "number",
        "format": "float",
        "minimum": -_GREATEST_FLOAT,
        "maximum": _GREATEST_FLOAT,
    }


def base64() -> Json:
    return {"type": "string", "contentEncoding": "base64", "pattern": _BASE64}


def map_key(field: FieldDescriptor) -> Json:
    """How the keys of a map look in JSON, where they are texts."""
    if field.type == _F.TYPE_BOOL:
        return {"enum": ["true", "false"]}
    if field.type in INTEGERS:
        return {"pattern": r"^(?:0|-?[1-9][0-9]*)$"}
    return {}
