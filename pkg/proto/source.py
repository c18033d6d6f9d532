"""Where a declaration stands in its proto file, and what is written above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

Path = tuple[int, ...]
"""Tags and indices that lead from a file to a declaration, as in SourceCodeInfo."""

# Tags of the lists in descriptor.proto.
_MESSAGES, _ENUMS, _SERVICES, _EXTENSIONS = 4, 5, 6, 7
_FIELD, _NESTED, _NESTED_ENUM, _ONEOF = 2, 3, 4, 8
_VALUE, _METHOD = 2, 2


@dataclass(frozen=True, slots=True)
class Place:
    """A declaration's place: the file as protoc knows it, and the path inside it."""

    file: str
    path: Path


class SourceMap:
    """Comments and line numbers by full name. Empty for files without source_code_info."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._lines: dict[Place, int] = {}
        self._comments: dict[Place, str] = {}

    def add(self, file: FileDescriptorProto) -> None:
        """Reads one file; its source_code_info may be dropped afterwards."""
        for name, path in declarations(file):
            self._places[name] = Place(file.name, path)
        for location in file.source_code_info.location:
            place = Place(file.name, tuple(location.path))
            self._lines.setdefault(place, location.span[0] + 1)
            if location.leading_comments:
                self._comments[place] = _clean(location.leading_comments)

    def comment(self, full_name: str) -> str:
        """What is written above the declaration, without the slashes; empty where nothing is."""
        place = self._places.get(full_name)
        return self._comments.get(place, "") if place else ""

    def line(self, full_name: str, below: Path = ()) -> int:
        """Line of the declaration, or of what lies `below` it (an option); from 1, 0 if unknown."""
        place = self._places.get(full_name)
        if place is None:
            return 0
        path = place.path + below
        while len(path) > len(place.path):
            if line := self._lines.get(Place(place.file, path)):
                return line
            path = path[:-1]
        return self._lines.get(place, 0)


def _clean(comment: str) -> str:
    return "\n".join(line.strip() for line in comment.strip().split("\n"))


def declarations(file: FileDescriptorProto) -> Iterator[tuple[str, Path]]:
    """Full name and path of everything that a file declares."""
    prefix = f"{file.package}." if file.package else ""
    for i, message in enumerate(file.message_type):
        yield from _message(message, prefix, (_MESSAGES, i))
    for i, enum in enumerate(file.enum_type):
        yield f"{prefix}{enum.name}", (_ENUMS, i)
        for j, value in enumerate(enum.value):
            yield f"{prefix}{enum.name}.{value.name}", (_ENUMS, i, _VALUE, j)
    for i, extension in enumerate(file.extension):
        yield f"{prefix}{extension.name}", (_EXTENSIONS, i)
    for i, service in enumerate(file.service):
        yield f"{prefix}{service.name}", (_SERVICES, i)
        for j, method in enumerate(service.method):
            yield f"{prefix}{service.name}.{method.name}", (_SERVICES, i, _METHOD, j)


def _message(message: DescriptorProto, prefix: str, path: Path) -> Iterator[tuple[str, Path]]:
    name = f"{prefix}{message.name}"
    yield name, path
    for i, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*path, _FIELD, i)
    for i, oneof in enumerate(message.oneof_decl):
        # A field and a oneof never share a name; the `_x` of an optional field is no declaration.
        yield f"{name}.{oneof.name}", (*path, _ONEOF, i)
    for i, enum in enumerate(message.enum_type):
        yield f"{name}.{enum.name}", (*path, _NESTED_ENUM, i)
        for j, value in enumerate(enum.value):
            yield f"{name}.{enum.name}.{value.name}", (*path, _NESTED_ENUM, i, _VALUE, j)
    for i, nested in enumerate(message.nested_type):
        yield from _message(nested, f"{name}.", (*path, _NESTED, i))
