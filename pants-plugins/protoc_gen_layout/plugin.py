"""From protoc's request to files, or to every fault that the protos have.

Parameters, separated by commas:

    package=api                  the Python package of all generated code; this is the default
    descriptors=descriptors.py   also write the descriptors of all files to this module
    root=api                     a folder that protoc got with -I; may be repeated. Faults are
                                 reported with it, so that an editor finds the file
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from pkg.proto import bindings
from pkg.proto.schema import Schema
from protoc_gen_layout.descriptors import descriptors_module
from protoc_gen_layout.errors import errors_module
from protoc_gen_layout.services import services_module

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor, ServiceDescriptor

    from pkg.proto.python_names import PythonNames


@dataclass(frozen=True)
class Options:
    """The plugin's parameters."""

    package: str = "api"
    descriptors: str = ""
    roots: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Options:
        """Reads `name=value,name=value`.

        Raises:
            ValueError: a name that is not known.
        """
        package, descriptors, roots = cls.package, cls.descriptors, []
        for item in filter(None, text.split(",")):
            name, _, value = item.partition("=")
            if name == "package":
                package = value
            elif name == "descriptors":
                descriptors = value
            elif name == "root":
                roots.append(value)
            else:
                raise ValueError(f"protoc-gen-layout: unknown parameter {name!r}")
        return cls(package, descriptors, tuple(roots))

    def path(self, file: str) -> str:
        """Where a proto lies for whoever called protoc."""
        for root in self.roots:
            if (found := Path(root) / file).is_file():
                return str(found)
        return file


def generate(request: CodeGeneratorRequest, naming: PythonNames) -> CodeGeneratorResponse:
    """service.py and errors.py per proto package, and the descriptors if they are asked for."""
    response = CodeGeneratorResponse(
        supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    descriptor_set = FileDescriptorSet(file=request.proto_file).SerializeToString()
    try:
        options = Options.parse(request.parameter)
    except ValueError as error:
        response.error = str(error)
        return response
    found = bindings.check(descriptor_set, naming)
    if found:
        # protoc puts its own words before the first line.
        response.error = "the protos cannot be bound\n" + "\n".join(
            f"{options.path(error.file)}:{error.line}: {error.text}" for error in found
        )
        return response
    schema = Schema(descriptor_set)
    own = set(request.file_to_generate)
    for package, services in _services(schema, own).items():
        response.file.add(
            name=f"{package.replace('.', '/')}/service.py",
            content=services_module(schema, package, services, naming, options.package),
        )
    for package, catalogues in _catalogues(schema, own).items():
        response.file.add(
            name=f"{package.replace('.', '/')}/errors.py",
            content=errors_module(schema, package, catalogues),
        )
    if options.descriptors:
        response.file.add(name=options.descriptors, content=descriptors_module(request.proto_file))
    return response


def _services(schema: Schema, own: set[str]) -> dict[str, list[ServiceDescriptor]]:
    found: dict[str, list[ServiceDescriptor]] = defaultdict(list)
    for service in schema.services():
        if service.file.name in own:
            found[service.file.package].append(service)
    return found


def _catalogues(schema: Schema, own: set[str]) -> dict[str, list[EnumDescriptor]]:
    found: dict[str, list[EnumDescriptor]] = defaultdict(list)
    for enum in schema.enums():
        if enum.file.name in own and schema.option(enum, "layout.v1.catalogue"):
            found[enum.file.package].append(enum)
    return found
