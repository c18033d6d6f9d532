"""Pants backend: `protobuf_sources` targets as importable Python under the package `api`.

For each proto package: `api.<package>` (betterproto2 messages), and where it has such a thing
`api.<package>.service` (typed services) and `api.<package>.errors`; for each `proto_descriptors`
target the module that it names. Nothing generated is committed: `./pants export-codegen ::` shows
it.

Never enable Pants' own Python backend for protobuf beside this one.
"""

from __future__ import annotations

from pants.backend.codegen.protobuf import protobuf_dependency_inference
from pants.backend.codegen.protobuf import tailor as protobuf_tailor
from pants.backend.codegen.protobuf.python import additional_fields
from pants.backend.codegen.protobuf.target_types import (
    ProtobufSourcesGeneratorTarget,
    ProtobufSourceTarget,
)
from pants.backend.codegen.protobuf.target_types import rules as protobuf_target_rules
from pants.backend.python.dependency_inference import module_mapper
from pants.backend.python.util_rules import pex
from pants.core.util_rules import stripped_source_files

from betterproto import codegen, compiler, inference
from betterproto.target_types import DescriptorsTarget


def target_types():
    return [ProtobufSourcesGeneratorTarget, ProtobufSourceTarget, DescriptorsTarget]


def rules():
    return [
        *additional_fields.rules(),
        *codegen.rules(),
        *compiler.rules(),
        *inference.rules(),
        *module_mapper.rules(),
        *pex.rules(),
        *protobuf_dependency_inference.rules(),
        *protobuf_tailor.rules(),
        *protobuf_target_rules(),
        *stripped_source_files.rules(),
    ]
