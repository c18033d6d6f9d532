"""Schemas written in the test that needs them, without a protoc."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    field_mask_pb2,
    message_factory,
    text_format,
    timestamp_pb2,
    wrappers_pb2,
)
from protovalidate._gen.buf.validate import validate_pb

from pkg.proto.schema import Schema

if TYPE_CHECKING:
    from google.protobuf.message import Message

OPTIONS = """
name: "layout/v1/options.proto" package: "layout.v1" syntax: "proto3"
dependency: "google/protobuf/descriptor.proto" dependency: "buf/validate/validate.proto"
message_type { name: "Text"
  field { name: "zh" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "en" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } }
message_type { name: "RuleText"
  field { name: "id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "text" number: 2 type: TYPE_MESSAGE type_name: ".layout.v1.Text"
          label: LABEL_OPTIONAL } }
extension { name: "message_rule" number: 50301 label: LABEL_REPEATED type: TYPE_MESSAGE
  type_name: ".layout.v1.RuleText" extendee: ".google.protobuf.MessageOptions" }
extension { name: "field_rule" number: 50202 label: LABEL_REPEATED type: TYPE_MESSAGE
  type_name: ".layout.v1.RuleText" extendee: ".google.protobuf.FieldOptions" }
"""

LONGER = """
extension { name: "longer" number: 2000 label: LABEL_OPTIONAL type: TYPE_INT32
  extendee: ".buf.validate.StringRules" }
"""
"""A rule of somebody's own, to be added to OPTIONS."""

IMPORTS = (
    "buf/validate/validate.proto",
    "layout/v1/options.proto",
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
)


@cache
def _library(options: str) -> tuple[bytes, ...]:
    known = (
        descriptor_pb2,
        any_pb2,
        duration_pb2,
        field_mask_pb2,
        timestamp_pb2,
        wrappers_pb2,
    )
    files = [module.DESCRIPTOR.serialized_pb for module in known]
    files.append(validate_pb._DESC.proto.to_binary())
    added = text_format.Parse(options, descriptor_pb2.FileDescriptorProto())
    files.append(added.SerializeToString())
    return tuple(files)


def schema(messages: str) -> Schema:
    """A schema with these messages, as text of a FileDescriptorProto, in package `t`."""
    return Schema(descriptor_set(messages).SerializeToString())


def descriptor_set(messages: str, options: str = OPTIONS) -> descriptor_pb2.FileDescriptorSet:
    """What `schema` is made of; the last file has the messages, the one before the options."""
    files = _library(options)
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file)
    # The class of this pool, so that its options know buf.validate and layout.v1.
    name = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    imports = "".join(f'dependency: "{each}" ' for each in IMPORTS)
    text = f'name: "t.proto" package: "t" syntax: "proto3" {imports} {messages}'
    added = text_format.Parse(text, message_factory.GetMessageClass(name)(), descriptor_pool=pool)
    whole = descriptor_pb2.FileDescriptorSet()
    for each in (*files, added.SerializeToString()):
        whole.file.add().ParseFromString(each)
    return whole


def field(name: str, number: int, kind: str, rules: str = "", more: str = "") -> str:
    """One field; `kind` is `string` or `.t.Message`, with `repeated ` before it or not."""
    label = "LABEL_REPEATED" if kind.startswith("repeated ") else "LABEL_OPTIONAL"
    kind = kind.removeprefix("repeated ")
    typed = (
        f'type: TYPE_MESSAGE type_name: "{kind}"'
        if kind.startswith(".")
        else f"type: TYPE_{kind.upper()}"
    )
    head, *rest = name.split("_")
    json_name = head + "".join(part.capitalize() for part in rest)
    options = f"options {{ [buf.validate.field] {{ {rules} }} }}" if rules else ""
    return (
        f'field {{ name: "{name}" json_name: "{json_name}" number: {number} label: {label} '
        f"{typed} {options} {more} }}"
    )


def message(name: str, *body: str) -> str:
    """One message of fields and whatever else its text says."""
    return f'message_type {{ name: "{name}" {" ".join(body)} }}'


def entry(name: str, key: str, value: str) -> str:
    """The nested type of a map field."""
    return (
        f'nested_type {{ name: "{name}" options {{ map_entry: true }} '
        f"{field('key', 1, key)} {field('value', 2, value)} }}"
    )


def make(within: Schema, name: str, /, **values: Any) -> Message:
    """A message of the schema's own pool."""
    return within.message(f"t.{name}")(**values)
