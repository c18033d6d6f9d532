"""The registry of all protos, those of the lab too."""

from __future__ import annotations

from functools import cache

from google.protobuf import descriptor_pb2

import api.descriptors
import api.lab.descriptors
from pkg.rpc.registry import Registry


@cache
def registry() -> Registry:
    """Immutable, so that one serves all tests."""
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for module in (api.descriptors, api.lab.descriptors):
        for file in descriptor_pb2.FileDescriptorSet.FromString(module.descriptor_set()).file:
            files.setdefault(file.name, file)
    return Registry.load(descriptor_pb2.FileDescriptorSet(file=files.values()).SerializeToString())
