"""Profiles read by protobuf itself, from a description of profile.proto written out here."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Mapping

_Field: Final = descriptor_pb2.FieldDescriptorProto
Fields = dict[str, tuple[int, str]]
"""By name: number and type; `[]` after the type: repeated; a capital letter: a message."""

PROFILE: Final[dict[str, Fields]] = {
    "Profile": {
        "sample_type": (1, "ValueType[]"),
        "sample": (2, "Sample[]"),
        "mapping": (3, "Mapping[]"),
        "location": (4, "Location[]"),
        "function": (5, "Function[]"),
        "string_table": (6, "string[]"),
        "time_nanos": (9, "int64"),
        "duration_nanos": (10, "int64"),
        "period_type": (11, "ValueType"),
        "period": (12, "int64"),
        "comment": (13, "int64[]"),
        "default_sample_type": (14, "int64"),
    },
    "ValueType": {"type": (1, "int64"), "unit": (2, "int64")},
    "Sample": {
        "location_id": (1, "uint64[]"),
        "value": (2, "int64[]"),
        "label": (3, "Label[]"),
    },
    "Label": {"key": (1, "int64"), "str": (2, "int64")},
    "Mapping": {
        "id": (1, "uint64"),
        "filename": (5, "int64"),
        "has_functions": (7, "bool"),
        "has_filenames": (8, "bool"),
        "has_line_numbers": (9, "bool"),
    },
    "Location": {"id": (1, "uint64"), "mapping_id": (2, "uint64"), "line": (4, "Line[]")},
    "Line": {"function_id": (1, "uint64"), "line": (2, "int64")},
    "Function": {
        "id": (1, "uint64"),
        "name": (2, "int64"),
        "system_name": (3, "int64"),
        "filename": (4, "int64"),
        "start_line": (5, "int64"),
    },
}


def messages(package: str, described: Mapping[str, Fields]) -> Mapping[str, Any]:
    """Classes of messages by their names."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in described.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            single = kind.removesuffix("[]")
            added = message.field.add(
                name=field,
                number=number,
                label=_Field.LABEL_OPTIONAL if single == kind else _Field.LABEL_REPEATED,
            )
            if single[0].isupper():
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".{package}.{single}"
            else:
                added.type = _Field.Type.Value(f"TYPE_{single.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in described
    }


@dataclass(frozen=True)
class Found:
    """A sample with everything looked up."""

    stack: tuple[tuple[str, str, int], ...]
    """Function, file and line, the innermost first."""
    values: Mapping[str, int]
    """By the kind of their type."""
    labels: Mapping[str, str]

    def holds(self, function: str) -> bool:
        """Whether a function whose name ends so is in the stack."""
        return any(name.endswith(function) for name, _, _ in self.stack)


def decoded(content: bytes) -> Any:
    """The message."""
    return messages("perftools.profiles", PROFILE)["Profile"].FromString(gzip.decompress(content))


def samples(content: bytes) -> list[Found]:
    """What a profile says."""
    profile = decoded(content)
    text = profile.string_table
    functions = {each.id: each for each in profile.function}
    places = {}
    for location in profile.location:
        (line,) = location.line
        function = functions[line.function_id]
        places[location.id] = (text[function.name], text[function.filename], line.line)
    kinds = [text[each.type] for each in profile.sample_type]
    return [
        Found(
            tuple(places[each] for each in sample.location_id),
            dict(zip(kinds, sample.value, strict=True)),
            {text[label.key]: text[label.str] for label in sample.label},
        )
        for sample in profile.sample
    ]
