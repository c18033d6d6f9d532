"""What each target exposes of the generated tree."""

from __future__ import annotations

from pathlib import PurePath

from pants.backend.codegen.protobuf.target_types import ProtobufSourceField
from pants.backend.python.target_types import PythonSourceField
from pants.core.util_rules.stripped_source_files import StrippedFileName, StrippedFileNameRequest
from pants.engine.fs import AddPrefix, DigestSubset, PathGlobs, Snapshot
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import GeneratedSources, GenerateSourcesRequest
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from betterproto.compiler import GeneratedTree, ProtoError, module_file
from betterproto.subsystem import Betterproto
from betterproto.target_types import DescriptorsSourcesField

# What every package needs of the run: the pool of messages, and the foreign packages.
SHARED = ("__init__.py", "message_pool.py", "py.typed", "google/**", "buf/**")


class GenerateFromProto(GenerateSourcesRequest):
    input = ProtobufSourceField
    output = PythonSourceField


class GenerateDescriptors(GenerateSourcesRequest):
    input = DescriptorsSourcesField
    output = PythonSourceField


def slice_of(folder: str) -> PathGlobs:
    """The modules of the proto package in `folder`, its parents, and what all share."""
    package = PurePath(folder)
    parents = [f"{p}/__init__.py" for p in package.parents if str(p) != "."]
    modules = [f"{package}/{name}.py" for name in ("__init__", "service", "errors")]
    return PathGlobs([*SHARED, *parents, *modules])


async def _placed(part: Snapshot, betterproto: Betterproto) -> GeneratedSources:
    prefix = f"{betterproto.python_root}/{betterproto.python_package}"
    return GeneratedSources(await Get(Snapshot, AddPrefix(part.digest, prefix)))


@rule(desc="Select generated Python", level=LogLevel.DEBUG)
async def generate(
    request: GenerateFromProto, tree: GeneratedTree, betterproto: Betterproto
) -> GeneratedSources:
    path = request.protocol_target[ProtobufSourceField].file_path
    name = await Get(StrippedFileName, StrippedFileNameRequest(path))
    folder = str(PurePath(name.value).parent)
    part = await Get(Snapshot, DigestSubset(tree.digest, slice_of(folder)))
    if f"{folder}/__init__.py" not in part.files:
        raise ProtoError(
            f"{path}: its `package` must be {folder.replace('/', '.')}, after its folder"
        )
    return await _placed(part, betterproto)


@rule(desc="Select generated descriptors", level=LogLevel.DEBUG)
async def generate_descriptors(
    request: GenerateDescriptors, tree: GeneratedTree, betterproto: Betterproto
) -> GeneratedSources:
    file = PurePath(module_file(request.protocol_target, betterproto))
    parents = [str(p / "__init__.py") for p in file.parents]
    part = await Get(Snapshot, DigestSubset(tree.digest, PathGlobs([str(file), *parents])))
    return await _placed(part, betterproto)


def rules():
    return [
        *collect_rules(),
        UnionRule(GenerateSourcesRequest, GenerateFromProto),
        UnionRule(GenerateSourcesRequest, GenerateDescriptors),
    ]
