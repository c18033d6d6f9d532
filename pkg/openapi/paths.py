"""Path templates as OpenAPI has them, where a variable is one segment.

`{parent=shelves/*}` is spread: `/v1/{parent=shelves/*}/books` becomes `/v1/shelves/{parent}/books`.
A variable that stands for one whole segment keeps its field's rules; a part of one is just text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from pkg.proto.http_rule import Template, Variable


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter of a path."""

    name: str
    variable: Variable | None
    """None for a `*` that is no variable's."""
    whole: bool
    """Is it all that its variable stands for?"""


@dataclass(frozen=True, slots=True)
class PathItem:
    """A template, spread."""

    text: str
    slots: tuple[Slot, ...]


def spread(template: Template, message: Descriptor | None) -> PathItem:
    """`message`: the request, whose JSON names are used; None for a hand-written route."""
    slots: list[Slot] = []
    parts: list[str] = []
    for index, segment in enumerate(template.segments):
        if segment not in ("*", "**"):
            parts.append(segment)
            continue
        variable = _variable_at(template, index)
        name = "segment" if variable is None else json_path(message, variable.field)
        name = name.replace(".", "_")  # a name for readers only, and some trip over a dot
        whole = variable is not None and variable.end == variable.start + 1
        taken = {slot.name for slot in slots}
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name}_{count}"
        slots.append(Slot(unique, variable, whole))
        parts.append(f"{{{unique}}}")
    verb = f":{template.verb}" if template.verb else ""
    return PathItem(f"/{'/'.join(parts)}{verb}", tuple(slots))


def fields_at(message: Descriptor, path: str) -> list[FieldDescriptor]:
    """The fields that a path in proto names leads through."""
    found: list[FieldDescriptor] = []
    at: Descriptor | None = message
    for name in path.split("."):
        if at is None:
            raise KeyError(path)
        found.append(at.fields_by_name[name])
        at = found[-1].message_type
    return found


def json_path(message: Descriptor | None, path: str) -> str:
    """A path in proto names in JSON names."""
    if message is None:
        return path
    return ".".join(field.json_name for field in fields_at(message, path))


def _variable_at(template: Template, index: int) -> Variable | None:
    for variable in template.variables:
        if variable.start <= index and (variable.end is None or index < variable.end):
            return variable
    return None
