"""What `this` and its fields are in the expression of a rule, over a betterproto2 object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from pkg.proto.schema import is_map
from pkg.validation.expressions import Names, Value
from pkg.validation.foreign import Foreign
from pkg.validation.standard import KINDS, REAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor import FieldDescriptor

    from pkg.proto.codec import BoundField

_TYPES: Final = {
    kind: {"s": "int", "i": "int", "u": "uint", "f": "uint"}[kind[0]]
    for kind in KINDS.values()
    if "int" in kind or "fixed" in kind
} | {"bool": "bool", "string": "string", "bytes": "bytes", "float": "double", "double": "double"}
"""Kind of a field -> type in CEL."""

_ZEROS: Final = {
    "int": "0", "uint": "0", "double": "0.0", "string": "''", "bytes": "b''", "bool": "False"
}  # fmt: skip


def value_names(text: str, kind: str) -> Names:
    """For the rule of one value, which is `text` in Python; `kind` is list, map or as in KINDS."""
    type_ = kind if kind in ("list", "map") else _TYPES.get(kind)

    def this() -> Value:
        if type_ is None:
            raise Foreign("a value of another type")
        return Value(text, type_)

    return Names(this, _no_field, _no_field)


def message_names(fields: Mapping[str, BoundField]) -> Names:
    """For the rule of a message, whose attributes are in `d`; the fields are by proto name."""

    def read(name: str) -> Value:
        field, value = _found(fields, name)
        if field.is_repeated:
            return Value(value, "map" if is_map(field) else "list")
        type_ = _TYPES.get(KINDS.get(field.type, ""), "")
        if not type_:
            raise Foreign("a field of another type")
        if field.has_presence:  # where it is not set, CEL reads its zero
            value = f"({value} if {value} is not None else {_ZEROS[type_]})"
        return Value(value, type_)

    return Names(_no_this, read, lambda name: there(fields, name))


def there(fields: Mapping[str, BoundField], name: str) -> str:
    """Python for whether a field is set, True or False.

    Raises:
        Foreign: there is no such field, or it cannot be told.
    """
    field, value = _found(fields, name)
    if field.has_presence:
        return f"({value} is not None)"
    if not field.is_repeated and KINDS[field.type] in REAL:
        raise Foreign("a real number, which is set if it is -0.0")
    return f"(not not {value})"


def _found(fields: Mapping[str, BoundField], name: str) -> tuple[FieldDescriptor, str]:
    bound = fields.get(name)
    if bound is None:
        raise Foreign("no such field")
    return bound.descriptor, f"d[{bound.attribute!r}]"


def _no_field(_: str) -> NoReturn:
    raise Foreign("a field of a value")


def _no_this() -> NoReturn:
    raise Foreign("the message as a value")
