"""Can betterproto2 carry every name? It writes them into class bodies, where some hide others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from pkg.proto.schema import is_map
from pkg.proto.wire_values import DURATION, TIMESTAMP, WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkg.proto.findings import Findings
    from pkg.proto.python_names import PythonNames

MESSAGE_ATTRIBUTES = frozenset({
    "FromString", "SerializeToString", "_betterproto", "_betterproto_meta", "_cls_for",
    "_from_dict_init", "_get_field_default", "_is_pydantic", "_postprocess_single", "_type_hint",
    "_type_hints", "_unknown_fields", "_validate", "_validate_field_groups", "dump", "from_dict",
    "from_json", "is_set", "load", "parse", "to_dict", "to_json",
})  # fmt: skip
"""What betterproto2.Message has for itself. Named here because protoc's plugin runs without it."""

_SCALARS = {
    FieldDescriptor.CPPTYPE_BOOL: "bool",
    FieldDescriptor.CPPTYPE_DOUBLE: "float",
    FieldDescriptor.CPPTYPE_FLOAT: "float",
    FieldDescriptor.CPPTYPE_INT32: "int",
    FieldDescriptor.CPPTYPE_INT64: "int",
    FieldDescriptor.CPPTYPE_UINT32: "int",
    FieldDescriptor.CPPTYPE_UINT64: "int",
}


def check_names(findings: Findings, names: PythonNames) -> None:
    """Looks at every message, enum, field and method."""
    types = [*findings.messages(), *findings.enums()]
    for text, twin in _twins(types, lambda each: (each.file.package, names.message(_inside(each)))):
        findings.add(twin, f"{twin.full_name}: {text}")
    for service in findings.services():
        for text, twin in _twins(service.methods, lambda each: names.method(each.name)):
            findings.add(twin, f"{twin.full_name}: {text}")
    for message in findings.messages():
        for text, field in _twins(message.fields, lambda each: names.field(each.name)):
            findings.add(field, f"{field.full_name}: {text}")
        _check_fields(findings, message, names)


def _check_fields(findings: Findings, message: Descriptor, names: PythonNames) -> None:
    for index, field in enumerate(message.fields):
        name = names.field(field.name)
        if name in MESSAGE_ATTRIBUTES or (name.startswith("__") and name.endswith("__")):
            text = f'"{name}" is an attribute of every message; name the field otherwise'
            findings.add(field, f"{field.full_name}: {text}")
        hidden = next((each for each in message.fields[index + 1 :] if name in _needs(each)), None)
        if hidden is not None:
            text = f'in Python it hides "{name}" from "{hidden.name}"; declare it last or rename it'
            findings.add(field, f"{field.full_name}: {text}")


def _needs(field: FieldDescriptor) -> Iterator[str]:
    """Names that the field's line in the class body looks up there; the compiler saves the rest."""
    yield from ("betterproto2", "builtins")
    if is_map(field):
        entry: Any = field.message_type
        yield "dict"
        for part in entry.fields:
            yield from _types(part, in_map=True)
        return
    if field.is_repeated:
        yield "list"
    yield from _types(field, in_map=False)


def _types(field: FieldDescriptor, *, in_map: bool) -> Iterator[str]:
    full = field.message_type.full_name if field.message_type else ""
    if full in (TIMESTAMP, DURATION):
        yield "datetime"
    if not in_map:
        return  # there the compiler writes builtins.str once the name is taken
    if full in WRAPPERS and field.message_type:
        field = field.message_type.fields_by_name["value"]
    if field.type == FieldDescriptor.TYPE_STRING:
        yield "str"
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield "bytes"
    elif field.cpp_type in _SCALARS:
        yield _SCALARS[field.cpp_type]


def _twins(declarations: Iterable[Any], key: Any) -> Iterator[tuple[str, Any]]:
    """Declarations whose Python name an earlier one has."""
    seen: dict[Any, Any] = {}
    for each in declarations:
        other = seen.setdefault(key(each), each)
        if other is not each:
            found = key(each)
            name = found if isinstance(found, str) else found[-1]
            yield f'in Python both this and {other.full_name} are "{name}"', each


def _inside(declaration: Any) -> str:
    """Name inside the package."""
    package = declaration.file.package
    return str(declaration.full_name).removeprefix(f"{package}." if package else "")
