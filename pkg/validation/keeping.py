"""Writes and compiles the function that says whether an object surely keeps its message's rules.

def keeps(m):
    d = m.__dict__
    v = d['name']
    if not (1 <= len(v) <= 64): return False
    ...
    return True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.unknown_fields import UnknownFieldSet

from pkg.proto.compiled import compile_function
from pkg.proto.schema import is_map
from pkg.proto.wire_values import WRAPPERS
from pkg.validation.cel_names import message_names, there, value_names
from pkg.validation.expressions import Names, kept
from pkg.validation.foreign import Foreign
from pkg.validation.standard import KINDS, REAL, tests

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from pkg.proto.codec import BoundField, Codec

Test = Callable[[Any], bool]
Inner = Callable[[str], Test | None]
"""The function of a message within; None where it has no rules."""

_IF_NOT_ZERO, _NEVER = 1, 3
"""Members of buf.validate.Ignore, by when a field is looked at."""


def keeping(codec: Codec, name: str, inner: Inner) -> Test:
    """Of the message with this full name. What the function raises means that it cannot say.

    Raises:
        Foreign: a rule is of a kind that nothing is promised of.
    """
    return _Compiler(codec, name, inner).function()


class _Compiler:
    def __init__(self, codec: Codec, name: str, inner: Inner) -> None:
        self._schema = codec.schema
        self._name = name
        self._inner = inner
        self._fields = {bound.descriptor.name: bound for bound in codec.fields(name)}
        self._names: dict[str, Any] = {}
        self._lines: list[str] = []

    def function(self) -> Test:
        descriptor: Descriptor = self._schema.pool.FindMessageTypeByName(self._name)
        file = FileDescriptorProto()
        descriptor.file.CopyToProto(file)
        if file.syntax != "proto3":
            raise Foreign("another syntax")
        for bound in self._fields.values():
            self._field(bound)
        self._oneofs(descriptor)
        self._message(descriptor)
        source = f"def keeps(m):\n    d = m.__dict__\n{''.join(self._lines)}    return True\n"
        return compile_function(source, "keeps", self._names, f"{self._name} keeps its rules")

    def _say(self, depth: int, line: str) -> None:
        self._lines.append(f"{'    ' * depth}{line}\n")

    def _need(self, depth: int, conditions: list[str], or_else: str = "") -> None:
        if conditions:
            self._say(depth, f"if not ({or_else}{' and '.join(conditions)}): return False")

    def _bind(self, thing: Any) -> str:
        name = f"X{len(self._names)}"
        self._names[name] = thing
        return name

    def _field(self, bound: BoundField) -> None:
        field = bound.descriptor
        rules = _option(self._schema.option(field, "buf.validate.field"))
        if rules is not None and rules.ignore == _NEVER:
            return
        outside, depth = len(self._lines), 1
        if rules is not None and rules.required:
            # Without presence, zero is not set. Of a real number -0.0 is: no matter.
            self._say(1, f"if {'v is None' if field.has_presence else 'not v'}: return False")
        elif field.has_presence:
            self._say(1, "if v is not None:")
            depth = 2
        inside = len(self._lines)
        if is_map(field):
            self._map(field, rules, depth)
        elif field.is_repeated:
            self._list(field, rules, depth)
        else:
            self._value(field, rules, "v", depth)
        if depth == 2 and len(self._lines) == inside:
            self._lines.pop()
        if len(self._lines) > outside:
            self._lines.insert(outside, f"    v = d[{bound.attribute!r}]\n")

    def _value(self, field: FieldDescriptor, rules: Any, value: str, depth: int) -> None:
        """One value: the field's own, or one in it."""
        said = _said(rules)
        message = field.message_type
        kind = KINDS.get(field.type, "")
        if message is not None and message.full_name in WRAPPERS:
            kind = KINDS[message.fields_by_name["value"].type]
        elif message is not None:
            keeps = self._inner(message.full_name)
            if keeps is not None:
                self._need(depth, [f"{self._bind(keeps)}({value})"])
        conditions: list[str] = []
        if kind in said:
            conditions.extend(tests(said.pop(kind), kind, field, value, self._bind))
        if message is None:
            conditions.extend(_expressions(said, value_names(value, kind)))
        if said:
            raise Foreign("rules of another kind")
        or_else = ""
        # Where there is presence, a zero that is set is looked at.
        if rules is not None and rules.ignore == _IF_NOT_ZERO and not field.has_presence:
            or_else = f"repr({value}) == '0.0' or " if kind in REAL else f"not {value} or "
        self._need(depth, conditions, or_else)

    def _list(self, field: FieldDescriptor, rules: Any, depth: int) -> None:
        said = _said(rules)
        found = _known(said.pop("repeated", None), "min_items", "max_items", "unique", "items")
        conditions = list(_sizes(found, "items"))
        if found.get("unique"):
            if field.message_type is not None or KINDS[field.type] in REAL:
                raise Foreign("whether messages or real numbers differ")
            conditions.append("len(set(v)) == len(v)")
        self._collection(said, rules, "list", conditions, depth)
        self._each(field, found.get("items"), "v", depth)

    def _map(self, field: FieldDescriptor, rules: Any, depth: int) -> None:
        entry: Any = field.message_type
        said = _said(rules)
        found = _known(said.pop("map", None), "min_pairs", "max_pairs", "keys", "values")
        self._collection(said, rules, "map", list(_sizes(found, "pairs")), depth)
        self._each(entry.fields_by_name["key"], found.get("keys"), "v", depth)
        self._each(entry.fields_by_name["value"], found.get("values"), "v.values()", depth)

    def _collection(
        self, said: dict[str, Any], rules: Any, kind: str, conditions: list[str], depth: int
    ) -> None:
        conditions.extend(_expressions(said, value_names("v", kind)))
        if said:
            raise Foreign("rules of another kind")
        empty = rules is not None and rules.ignore == _IF_NOT_ZERO
        self._need(depth, conditions, "not v or " if empty else "")

    def _each(self, field: FieldDescriptor, rules: Any, values: str, depth: int) -> None:
        if rules is not None and rules.required:
            raise Foreign("an item that is required")
        if rules is not None and rules.ignore == _NEVER:
            return
        self._say(depth, f"for w in {values}:")
        inside = len(self._lines)
        self._value(field, rules, "w", depth + 1)
        if len(self._lines) == inside:
            self._lines.pop()

    def _oneofs(self, descriptor: Descriptor) -> None:
        for oneof in descriptor.oneofs:
            rules = _option(self._schema.option(oneof, "buf.validate.oneof"))
            if _known(rules, "required").get("required"):
                members = [there(self._fields, field.name) for field in oneof.fields]
                self._need(1, [f"({' or '.join(members)})"])

    def _message(self, descriptor: Descriptor) -> None:
        rules = _option(self._schema.option(descriptor, "buf.validate.message"))
        said = _known(rules, "cel", "cel_expression", "oneof")
        for group in said.pop("oneof", ()):
            if not group.fields or len(set(group.fields)) != len(group.fields):
                raise Foreign("a group that cannot be meant")
            count = " + ".join(there(self._fields, name) for name in group.fields)
            self._need(1, [f"{count} {'==' if group.required else '<='} 1"])
        self._need(1, list(_expressions(said, message_names(self._fields))))


def _option(rules: Any) -> Any:
    """The rules, if this knows all of what they say: no extension, nothing newer."""
    for field, value in () if rules is None else rules.ListFields():
        if field.is_extension:
            raise Foreign("a rule that is declared elsewhere")
        if field.message_type is not None:
            for each in value if field.is_repeated else (value,):
                _option(each)
    if rules is not None and len(UnknownFieldSet(rules)):
        raise Foreign("a rule that is newer")
    return rules


def _said(rules: Any) -> dict[str, Any]:
    """What a FieldRules says beside when it is to be looked at."""
    found = {} if rules is None else {field.name: value for field, value in rules.ListFields()}
    found.pop("required", None)
    found.pop("ignore", None)
    return found


def _known(rules: Any, *names: str) -> dict[str, Any]:
    found = {} if rules is None else {field.name: value for field, value in rules.ListFields()}
    if not found.keys() <= set(names):
        raise Foreign("a rule of another kind")
    return found


def _sizes(found: dict[str, Any], what: str) -> list[str]:
    sizes = (("min", ">="), ("max", "<="))
    return [
        f"len(v) {sign} {found[f'{most}_{what}']}"
        for most, sign in sizes
        if f"{most}_{what}" in found
    ]


def _expressions(said: dict[str, Any], names: Names) -> list[str]:
    """Takes them out of what is said."""
    expressions = [rule.expression for rule in said.pop("cel", ())]
    return [kept(each, names) for each in (*expressions, *said.pop("cel_expression", ()))]
