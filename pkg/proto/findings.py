"""Faults of the protos, and which protos are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import EnumValueDescriptor, MethodDescriptor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor, EnumDescriptor, ServiceDescriptor

    from pkg.proto.schema import Schema
    from pkg.proto.source import Path

_FOREIGN = ("google/", "buf/")
"""Files that others answer for."""


@dataclass(frozen=True, slots=True, order=True)
class BindingError:
    """One fault."""

    file: str
    """As protoc knows it: relative to its proto root."""
    line: int
    text: str


class Findings:
    """Collects faults while the schema is looked through."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.errors: set[BindingError] = set()

    def add(self, declaration: Any, text: str, below: Path = ()) -> None:
        """A fault of the declaration (a descriptor), or of its option at the path `below`."""
        file = _home(declaration).file
        self.errors.add(BindingError(file.name, self.line(declaration, below), text))

    def line(self, declaration: Any, below: Path = ()) -> int:
        """Line of a declaration, or of its option."""
        return self.schema.source.line(_full_name(declaration), below)

    def place(self, declaration: Any) -> str:
        """`file:line` of a declaration, for the text of another's fault."""
        return f"{_home(declaration).file.name}:{self.line(declaration)}"

    def messages(self) -> Iterator[Descriptor]:
        return (each for each in self.schema.messages() if _own(each))

    def enums(self) -> Iterator[EnumDescriptor]:
        return (each for each in self.schema.enums() if _own(each))

    def services(self) -> Iterator[ServiceDescriptor]:
        return (each for each in self.schema.services() if _own(each))


def _own(declaration: Any) -> bool:
    return not declaration.file.name.startswith(_FOREIGN)


def _home(declaration: Any) -> Any:
    """The declaration itself, or what a method or an enum's value lies in."""
    if isinstance(declaration, EnumValueDescriptor):
        return declaration.type
    if isinstance(declaration, MethodDescriptor):
        return declaration.containing_service
    return declaration


def _full_name(declaration: Any) -> str:
    if isinstance(declaration, EnumValueDescriptor):
        # To protoc it lies beside its enum, not in it.
        return f"{declaration.type.full_name}.{declaration.name}"
    return str(declaration.full_name)
