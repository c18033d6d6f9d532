"""Proto files written in the test that needs them, as text descriptors, without a protoc."""

from __future__ import annotations

from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from api.lab.descriptors import descriptor_set
from pkg.proto.source import declarations
from tests.unit.pkg.proto.lab import schema


def parsed(text: str) -> Any:
    """A FileDescriptorProto; its options are read with the lab's protos, which declare them."""
    file: Any = schema().message("google.protobuf.FileDescriptorProto")()
    text_format.Parse(text, file, descriptor_pool=schema().pool)
    file.syntax = "proto3"
    for message in file.message_type:
        _complete(message)
    return file


def _complete(message: Any) -> None:
    """What protoc fills in."""
    for field in message.field:
        if not field.HasField("label"):
            field.label = field.LABEL_OPTIONAL
        if not field.HasField("json_name"):
            head, *rest = field.name.split("_")
            field.json_name = head + "".join(part.capitalize() for part in rest)
    for nested in message.nested_type:
        _complete(nested)


def with_file(*texts: str, options: bool = False) -> bytes:
    """A set of the lab's dependencies and these files, each declaration on a line of its own.

    The n-th declaration stands on line 10n; with `options`, an option of it on the lines after.
    """
    files = FileDescriptorSet.FromString(descriptor_set())
    kept = [file for file in files.file if not file.name.startswith("lab/")]
    for text in texts:
        file = FileDescriptorProto.FromString(parsed(text).SerializeToString())
        for number, (_, path) in enumerate(declarations(file), 1):
            file.source_code_info.location.add(path=path, span=[number * 10 - 1, 0, 1])
            if options:
                for offset, option in enumerate(OPTION_PATHS, 1):
                    file.source_code_info.location.add(
                        path=[*path, *option], span=[number * 10 - 1 + offset, 0, 1]
                    )
        kept.append(file)
    return FileDescriptorSet(file=kept).SerializeToString()


OPTION_PATHS = ((4, 72295728), (3, 50402), (4, 50104, 0), (4, 50104, 1))
"""google.api.http, layout.v1.error, two of layout.v1.reason."""
