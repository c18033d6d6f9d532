"""Renders the module that carries the descriptors, comments and all, into the process."""

from __future__ import annotations

import base64
import zlib
from textwrap import wrap
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from protoc_gen_layout.text import module_docstring

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMENTLESS = ("google/", "buf/")
"""Whose comments nobody reads at run time; they would be most of the module."""


def descriptors_module(files: Iterable[FileDescriptorProto]) -> str:
    """Source of a module with one function, `descriptor_set`."""
    found = FileDescriptorSet(file=files)
    for file in found.file:
        if file.name.startswith(_COMMENTLESS):
            file.ClearField("source_code_info")
        for location in file.source_code_info.location:
            # Detached comments (licences, headings) belong to no declaration.
            location.ClearField("leading_detached_comments")
    packed = base64.b64encode(zlib.compress(found.SerializeToString(deterministic=True), 9))
    lines = "".join(f'    "{line}"\n' for line in wrap(packed.decode(), 92))
    return (
        module_docstring("The protos as a FileDescriptorSet.")
        + "\nfrom __future__ import annotations\n\nimport base64\nimport zlib\n\n"
        + f"_PACKED = (\n{lines})\n\n\n"
        + "def descriptor_set() -> bytes:\n"
        + '    """A serialized google.protobuf.FileDescriptorSet, each file after its imports."""\n'
        + "    return zlib.decompress(base64.b64decode(_PACKED))\n"
    )
