"""The user service's protos and the lab's, as one descriptor set."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from api import descriptors as own
from api.lab import descriptors as lab


def descriptor_set() -> bytes:
    """What a service knows of its protos that also has BenchService."""
    whole = FileDescriptorSet.FromString(own.descriptor_set())
    known = {file.name for file in whole.file}
    for file in FileDescriptorSet.FromString(lab.descriptor_set()).file:
        if file.name not in known:
            whole.file.append(file)
    return whole.SerializeToString()
