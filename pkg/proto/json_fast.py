"""JSON straight into betterproto2 objects, for bodies of the plain shape.

Compiled per class. Whatever is unusual (an unknown key, null, "12" for 12, any fault) raises Slow,
and the caller goes by upb instead, which knows every shape and says where a fault lies. What this
road does take, it takes as the other one does.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from pkg.proto.compiled import Function, compile_function
from pkg.proto.json_values import INT_RANGES, read_time
from pkg.proto.misfit import Misfit
from pkg.proto.schema import is_map, real_oneof
from pkg.proto.wire_values import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pkg.proto.codec import BoundField, Codec

_PLAIN = {
    FieldDescriptor.TYPE_STRING: ("str", "''"),
    FieldDescriptor.TYPE_BOOL: ("bool", "False"),
}


class Slow(Exception):  # noqa: N818 - no error: it only sends the caller the other way
    """This body is not for the fast road."""


class FastJson:
    """Compiles, once per class, what reads a plain body; safe to share between threads."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._made: dict[str, Function | None] = {}
        self._lock = threading.RLock()

    def loader(self, name: str) -> Callable[[Any], Any] | None:
        """What `parse` gave -> object of the message with this full name; the function raises Slow.

        None where the message has a field of a kind that only the other road knows.
        """
        if name not in self._made:
            with self._lock:
                if name not in self._made:
                    self._made[name] = _Compiler(self._codec, ()).loader(name)
        return self._made[name]


class _Compiler:
    """Makes loaders from the outermost message inwards; one that contains itself gets none."""

    def __init__(self, codec: Codec, above: tuple[str, ...]) -> None:
        self._codec, self._above = codec, above

    def loader(self, name: str) -> Function | None:
        if name in self._above or name.startswith("google.protobuf."):
            return None
        cls = self._codec.class_of(name)
        names: dict[str, Any] = {"C": cls, "new": cls.__new__, "Slow": Slow, "missing": object()}
        lines, items = [], []
        inner = _Compiler(self._codec, (*self._above, name))
        for bound in self._codec.fields(name):
            field, number = bound.descriptor, bound.descriptor.number
            found = None if real_oneof(field) else inner._field(bound, names)
            if found is None:
                return None
            test, value, default = found
            if field.has_presence:
                default = "None"
            lines.append(
                f"    if (v := get({field.json_name!r}, missing)) is missing:"
                f" a{number} = {default}\n"
                f"    elif {test}: a{number} = {value}; n += 1\n"
                f"    else: raise Slow\n"
            )
            items.append(f"{bound.attribute!r}: a{number}")
        items.append("'_unknown_fields': b''")
        source = (
            "def load(d):\n"
            "    if type(d) is not dict: raise Slow\n"
            "    get = d.get; n = 0\n"
            f"{''.join(lines)}"
            "    if n != len(d): raise Slow\n"
            "    o = new(C)\n"
            f"    o.__dict__ = {{{', '.join(items)}}}\n"
            "    return o\n"
        )
        return compile_function(source, "load", names, f"{name} from plain JSON")

    def _field(self, bound: BoundField, names: dict[str, Any]) -> tuple[str, str, str] | None:
        """Test of `v`, value of `v`, default; None for a kind that is not plain."""
        field = bound.descriptor
        if is_map(field):
            return _map(field)
        single = self._single(bound, names)
        if single is None or not field.is_repeated:
            return single
        test, value, _ = single
        # What `L…` makes it also tests.
        items = "" if value.startswith("L") else f" and all([{test} for v in v])"
        made = "v" if value == "v" else f"[{value} for v in v]"
        return f"type(v) is list{items}", made, "[]"

    def _single(self, bound: BoundField, names: dict[str, Any]) -> tuple[str, str, str] | None:
        field = bound.descriptor
        if field.type in _PLAIN:
            kind, default = _PLAIN[field.type]
            return f"type(v) is {kind}", "v", default
        if field.type in INT_RANGES:
            low, high = INT_RANGES[field.type]
            return f"type(v) is int and {low} <= v < {high}", "v", "0"
        if field.type == FieldDescriptor.TYPE_DOUBLE:
            return "(type(v) is float or type(v) is int)", "float(v)", "0.0"
        number = field.number
        if field.enum_type is not None:
            members = {value.name: bound.type(value.number) for value in field.enum_type.values}
            names[f"E{number}"], names[f"D{number}"] = members, bound.type(0)
            return f"type(v) is str and v in E{number}", f"E{number}[v]", f"D{number}"
        if field.message_type is None:
            return None
        if field.message_type.full_name == TIMESTAMP:
            names[f"L{number}"] = _moment
            return "type(v) is str", f"L{number}(v)", "None"
        loader = self.loader(field.message_type.full_name)
        if loader is None:
            return None
        names[f"L{number}"] = loader
        return "type(v) is dict", f"L{number}(v)", "None"


def _map(field: FieldDescriptor) -> tuple[str, str, str] | None:
    entry: Any = field.message_type
    kinds = [entry.fields_by_name[part].type for part in ("key", "value")]
    if kinds != [FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_STRING]:
        return None
    return "type(v) is dict and all([type(x) is str for x in v.values()])", "v", "{}"


def _moment(value: Any) -> datetime:
    try:
        return read_time(value)[0]
    except Misfit:
        raise Slow from None
