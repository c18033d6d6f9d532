"""JSON arrays and objects to repeated fields and maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from pkg.proto.json_values import INT_RANGES, Reader, integer_reader, read_string
from pkg.proto.misfit import ARRAY, BOOLEAN, INTEGER, OBJECT, VALUE, Misfit

if TYPE_CHECKING:
    from pkg.proto.json_in import Deep


def list_reader(single: Deep, nullable: bool) -> Deep:
    """Null is no item unless `nullable`."""

    def read(value: Any, levels: int) -> list[Any]:
        if type(value) is not list:
            raise Misfit("", ARRAY)
        found = []
        for index, item in enumerate(value):
            try:
                if item is None and not nullable:
                    raise Misfit("", VALUE)
                found.append(single(item, levels))
            except Misfit as misfit:
                raise misfit.at(index) from None
        return found

    return read


def map_reader(key: FieldDescriptor, single: Deep, nullable: bool) -> Deep:
    """Null is no value unless `nullable`."""
    read_key = _key_reader(key)

    def read(value: Any, levels: int) -> dict[Any, Any]:
        if type(value) is not dict:
            raise Misfit("", OBJECT)
        found: dict[Any, Any] = {}
        for name, item in value.items():
            try:
                if item is None and not nullable:
                    raise Misfit("", VALUE)
                # One spelling per key: a number has no leading zero.
                found[read_key(name)] = single(item, levels - 1)  # the entry is a level
            except Misfit as misfit:
                raise misfit.below(str(name)) from None
        return found

    return read


def _key_reader(key: FieldDescriptor) -> Reader:
    if key.type == FieldDescriptor.TYPE_STRING:
        return read_string
    if key.type == FieldDescriptor.TYPE_BOOL:
        return _boolean
    whole = integer_reader(key.type) if key.type in INT_RANGES else read_string

    def read(name: Any) -> Any:
        if type(name) is not str:
            raise Misfit("", INTEGER)
        return whole(name)

    return read


def _boolean(name: Any) -> bool:
    if name in ("true", "false"):
        return bool(name == "true")
    raise Misfit("", BOOLEAN)
