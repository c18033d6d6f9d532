"""The protos of a process, read from a FileDescriptorSet into a pool of their own.

protobuf's default pool is neither read nor written, so that two schemas can live side by side and
options are found whatever else the process has imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pkg.proto.source import SourceMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.descriptor import (
        Descriptor,
        EnumDescriptor,
        FieldDescriptor,
        FileDescriptor,
        ServiceDescriptor,
    )
    from google.protobuf.message import Message


class Schema:
    """Descriptors, message classes, options and comments by full name."""

    def __init__(self, descriptor_set: bytes) -> None:
        """Reads a serialized FileDescriptorSet whose files stand after what they import.

        Raises:
            TypeError, google.protobuf.message.DecodeError: it is not one, or an import is missing.
        """
        self.pool = descriptor_pool.DescriptorPool()
        self.source = SourceMap()
        self._files: list[str] = []
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
            self.source.add(file)
            file.ClearField("source_code_info")
            self.pool.AddSerializedFile(file.SerializeToString())
            self._files.append(file.name)

    def message(self, full_name: str) -> type[Message]:
        """The upb class of a message; KeyError where there is none of that name."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(full_name))

    def option(self, descriptor: Any, extension: str) -> Any:
        """Value of a custom option by its full name, e.g. `layout.v1.auth`.

        None where it is not set or nothing declares it; for a repeated option the list.
        """
        try:
            found: Any = self.pool.FindExtensionByName(extension)
        except KeyError:
            return None
        # GetOptions() is typed by the default pool, which knows none of our options: read it again.
        options: Any = self.message(found.containing_type.full_name).FromString(
            descriptor.GetOptions().SerializeToString()
        )
        if not found.is_repeated and not options.HasExtension(found):
            return None
        return options.Extensions[found]

    def comment(self, full_name: str) -> str:
        """What stands above a declaration; empty where nothing does."""
        return self.source.comment(full_name)

    def files(self) -> Iterator[FileDescriptor]:
        """In the order of the set."""
        for name in self._files:
            yield self.pool.FindFileByName(name)

    def services(self) -> Iterator[ServiceDescriptor]:
        for file in self.files():
            yield from file.services_by_name.values()

    def messages(self) -> Iterator[Descriptor]:
        """Every message, nested ones too, but no map entries."""
        for file in self.files():
            yield from _flat(file.message_types_by_name)

    def enums(self) -> Iterator[EnumDescriptor]:
        """Every enum, nested ones too."""
        for file in self.files():
            yield from file.enum_types_by_name.values()
            for message in _flat(file.message_types_by_name):
                yield from message.enum_types


def _flat(messages: Mapping[str, Descriptor]) -> Iterator[Descriptor]:
    for message in messages.values():
        if not message.GetOptions().map_entry:
            yield message
            yield from _flat(message.nested_types_by_name)


def is_map(field: FieldDescriptor) -> bool:
    """Is it a `map<…>`? Descriptors say so only in the options of the entry message."""
    entry = field.message_type
    return bool(entry is not None and entry.GetOptions().map_entry)


def real_oneof(field: FieldDescriptor) -> str:
    """Name of the field's oneof; empty without one and for the one that `optional` makes up."""
    oneof = field.containing_oneof
    if oneof is None or (len(oneof.fields) == 1 and oneof.name == f"_{field.name}"):
        return ""
    return str(oneof.name)


def sensitive_fields(schema: Schema) -> frozenset[str]:
    """JSON and proto names of every field that says `(layout.v1.sensitive) = true`."""
    return frozenset(
        name
        for message in schema.messages()
        for field in message.fields
        if schema.option(field, "layout.v1.sensitive")
        for name in (field.name, field.json_name)
    )
