"""Error enums written in the test that needs them, beside those of the real protos."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, message_factory, text_format

import api.descriptors
from pkg.proto.schema import Schema

TEXT = 'text { zh: "丢了" en: "Lost" }'
GOOD = f"code: 9001 http: 404 grpc: 5 {TEXT}"


def real() -> Schema:
    """The schema of the services."""
    return Schema(api.descriptors.descriptor_set())


def value(name: str, number: int, error: str = "") -> str:
    """One enum value, with its `layout.v1.error` as text or without one."""
    options = f"options {{ [layout.v1.error] {{ {error} }} }}" if error else ""
    return f'value {{ name: "{name}" number: {number} {options} }}'


def with_enum(*values: str, catalogue: bool = True) -> Schema:
    """The real schema and a catalogue enum `t.Reason` of these values."""
    files = descriptor_pb2.FileDescriptorSet.FromString(api.descriptors.descriptor_set())
    pool = real().pool
    name = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    says = str(catalogue).lower()
    text = (
        'name: "t.proto" package: "t" syntax: "proto3" dependency: "layout/v1/options.proto" '
        f"enum_type {{ name: 'Reason' options {{ [layout.v1.catalogue]: {says} }}"
        f" {value('REASON_UNSPECIFIED', 0)} {' '.join(values)} }}"
    )
    added = text_format.Parse(text, message_factory.GetMessageClass(name)(), descriptor_pool=pool)
    files.file.add().ParseFromString(added.SerializeToString())
    return Schema(files.SerializeToString())


def without(reason: str) -> Schema:
    """The real schema, less one value of the common reasons."""
    files = descriptor_pb2.FileDescriptorSet.FromString(api.descriptors.descriptor_set())
    for file in files.file:
        for enum in file.enum_type:
            for index, each in enumerate(enum.value):
                if each.name == reason:
                    del enum.value[index]
                    return Schema(files.SerializeToString())
    raise LookupError(reason)
