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
from pkg.proto.json_values import read_time
from pkg.proto.misfit import Misfit
from pkg.proto.plain_fields import ZEROS, PlainFields, is_double, test_of
from pkg.proto.schema import is_map, real_oneof
from pkg.proto.wire_values import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pkg.proto.codec import BoundField, Codec

_NO_UNKNOWN = "'_unknown_fields': b''"


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
        inner = _Compiler(self._codec, (*self._above, name))
        names: dict[str, Any] = {"C": cls, "new": cls.__new__, "Slow": Slow, "join": "".join}
        made = PlainFields(names)
        fields = self._codec.fields(name)
        if not all(inner._field(bound, made) for bound in fields):
            return None
        names["known"] = frozenset(bound.descriptor.json_name for bound in fields).issuperset
        items = [f"{bound.attribute!r}: a{bound.descriptor.number}" for bound in fields]
        source = (
            "def load(d):\n"
            "    if type(d) is not dict or not known(d): raise Slow\n"
            "    get = d.get\n"
            f"{made.source()}"
            "    o = new(C)\n"
            f"    o.__dict__ = {{{', '.join([*items, _NO_UNKNOWN])}}}\n"
            "    return o\n"
        )
        return compile_function(source, "load", names, f"{name} from plain JSON")

    def _field(self, bound: BoundField, made: PlainFields) -> bool:
        """Have the field read; False for a kind that is not plain."""
        field = bound.descriptor
        if real_oneof(field):
            return False
        if is_map(field):
            return _map(field, made)
        if field.message_type is None and field.enum_type is None:
            if field.type not in ZEROS:
                return False
            if field.is_repeated:
                made.values(field, test_of(field, "v"), "float(v)" if is_double(field) else "v")
            else:
                made.value(field)
            return True
        found = self._found(bound, made.names)
        if found is None:
            return False
        test, value = found
        if field.is_repeated:
            made.values(field, test, value)
        else:
            absent = "None" if field.message_type or field.has_presence else f"D{field.number}"
            made.choice(field, absent, test, value)
        return True

    def _found(self, bound: BoundField, names: dict[str, Any]) -> tuple[str, str] | None:
        """Test of `v`, and what it stands for, in a field of an enum or of messages."""
        field, number = bound.descriptor, bound.descriptor.number
        if field.enum_type is not None:
            members = {value.name: bound.type(value.number) for value in field.enum_type.values}
            names[f"E{number}"], names[f"D{number}"] = members, bound.type(0)
            return f"type(v) is str and v in E{number}", f"E{number}[v]"
        kind: Any = field.message_type
        if kind.full_name == TIMESTAMP:
            names[f"L{number}"] = _moment
            return "type(v) is str", f"L{number}(v)"
        loader = self.loader(kind.full_name)
        if loader is None:
            return None
        names[f"L{number}"] = loader
        return "type(v) is dict", f"L{number}(v)"


def _map(field: FieldDescriptor, made: PlainFields) -> bool:
    entry: Any = field.message_type
    kinds = [entry.fields_by_name[part].type for part in ("key", "value")]
    if kinds != [FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_STRING]:
        return False
    made.texts(field)
    return True


def _moment(value: Any) -> datetime:
    try:
        return read_time(value)[0]
    except Misfit:
        raise Slow from None
