"""Who provides a generated module, and what generated modules need in turn."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from pants.backend.codegen.protobuf.python.additional_fields import ProtobufPythonResolveField
from pants.backend.codegen.protobuf.target_types import (
    ProtobufDependenciesField,
    ProtobufSourceField,
)
from pants.backend.python.dependency_inference.module_mapper import (
    FirstPartyPythonMappingImpl,
    FirstPartyPythonMappingImplMarker,
    ModuleProvider,
    ModuleProviderType,
    PythonModuleOwners,
    PythonModuleOwnersRequest,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.engine.addresses import Address
from pants.engine.fs import DigestContents, DigestSubset
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet, InferDependenciesRequest, InferredDependencies
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from betterproto.codegen import slice_of
from betterproto.compiler import GeneratedTree, Protos
from betterproto.subsystem import Betterproto
from betterproto.target_types import (
    DescriptorsDependenciesField,
    DescriptorsModuleField,
    DescriptorsRootsField,
)

_ABSOLUTE_IMPORT = re.compile(r"^\s*(?:from|import)\s+([A-Za-z_][\w.]*)", re.MULTILINE)


class ProtoMappingMarker(FirstPartyPythonMappingImplMarker):
    pass


@rule(desc="Map protos to generated Python modules", level=LogLevel.DEBUG)
async def map_modules(
    protos: Protos, betterproto: Betterproto, python_setup: PythonSetup, _: ProtoMappingMarker
) -> FirstPartyPythonMappingImpl:
    mapping: dict = defaultdict(lambda: defaultdict(list))
    for proto in protos.protos:
        resolve = proto.target[ProtobufPythonResolveField].normalized_value(python_setup)
        package = f"{betterproto.python_package}.{proto.folder.replace('/', '.')}"
        # One provider per package, the first file: it depends on the others (see below).
        for module in (package, f"{package}.service", f"{package}.errors"):
            if not mapping[resolve][module]:
                mapping[resolve][module].append(_provider(proto.target.address))
    for proto in protos.under((betterproto.foreign_root,))[:1]:
        resolve = proto.target[ProtobufPythonResolveField].normalized_value(python_setup)
        for package in betterproto.foreign_packages:  # every slice of the tree has them
            module = f"{betterproto.python_package}.{package}"
            mapping[resolve][module].append(_provider(proto.target.address))
    for target in protos.descriptors:
        module = target[DescriptorsModuleField].value
        mapping[python_setup.default_resolve][module].append(_provider(target.address))
    return FirstPartyPythonMappingImpl.create(mapping)


def _provider(address: Address) -> ModuleProvider:
    return ModuleProvider(address, ModuleProviderType.IMPL)


@dataclass(frozen=True)
class ProtoFieldSet(FieldSet):
    required_fields = (ProtobufSourceField, ProtobufDependenciesField, ProtobufPythonResolveField)

    source: ProtobufSourceField
    python_resolve: ProtobufPythonResolveField


class InferFromGenerated(InferDependenciesRequest):
    infer_from = ProtoFieldSet


@rule(desc="Infer dependencies of generated Python", level=LogLevel.DEBUG)
async def infer_from_generated(
    request: InferFromGenerated, tree: GeneratedTree, protos: Protos, python_setup: PythonSetup
) -> InferredDependencies:
    """The rest of the package, and the owners of what its modules import by absolute name.

    Relative imports follow the protos' own, which Pants infers.
    """
    address = request.field_set.address
    folder = next(p.folder for p in protos.protos if p.target.address == address)
    package = [p.target.address for p in protos.protos if p.folder == folder]
    contents = await Get(DigestContents, DigestSubset(tree.digest, slice_of(folder)))
    modules = {m for file in contents for m in _ABSOLUTE_IMPORT.findall(file.content.decode())}
    resolve = request.field_set.python_resolve.normalized_value(python_setup)
    owners = await MultiGet(
        Get(PythonModuleOwners, PythonModuleOwnersRequest(module, resolve))
        for module in sorted(modules)
    )
    needed = {owner for found in owners for owner in found.unambiguous}
    return InferredDependencies(sorted({*package, *needed} - {address}))


@dataclass(frozen=True)
class DescriptorsFieldSet(FieldSet):
    required_fields = (DescriptorsDependenciesField, DescriptorsRootsField)

    roots: DescriptorsRootsField


class InferDescribed(InferDependenciesRequest):
    infer_from = DescriptorsFieldSet


@rule
async def infer_described(request: InferDescribed, protos: Protos) -> InferredDependencies:
    described = protos.under(request.field_set.roots.value)
    return InferredDependencies(sorted(p.target.address for p in described))


def rules():
    return [
        *collect_rules(),
        UnionRule(FirstPartyPythonMappingImplMarker, ProtoMappingMarker),
        UnionRule(InferDependenciesRequest, InferFromGenerated),
        UnionRule(InferDependenciesRequest, InferDescribed),
    ]
