"""Server reflection, v1 and v1alpha, over descriptor pools of one's own.

The library's servicer knows v1alpha and protobuf's default pool; from a private pool its lists of
extensions came back empty. Both versions have the same messages on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping

    from google.protobuf.descriptor import FileDescriptor

_ALPHA: Final = "grpc.reflection.v1alpha"
_V1: Final = "grpc.reflection.v1"
SERVICES: Final = (f"{_V1}.ServerReflection", f"{_ALPHA}.ServerReflection")

_Found = tuple[str, ...]
"""Names of files."""


class Reflection:
    """Answers what is asked about services, about health and about itself."""

    def __init__(self, services: Iterable[str], files: Iterable[FileDescriptor]) -> None:
        """Index the files; they are given after what they import."""
        self._services = sorted(services)
        self._files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
        self._symbols: dict[str, str] = {}
        self._extensions: dict[str, dict[int, str]] = {}
        for file in (*files, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
            proto = descriptor_pb2.FileDescriptorProto()
            file.CopyToProto(proto)
            self._index(proto)
        self._index(_as_v1(self._files[reflection_pb2.DESCRIPTOR.name]))

    def handlers(self) -> Mapping[str, Any]:
        """gRPC method path -> handler."""
        handler = grpc.stream_stream_rpc_method_handler(
            self._info,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        return {f"/{service}/ServerReflectionInfo": handler for service in SERVICES}

    async def _info(self, requests: AsyncIterable[Any], _context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            response = reflection_pb2.ServerReflectionResponse(
                valid_host=request.host, original_request=request
            )
            try:
                self._answer(request, response)
            except KeyError as error:
                response.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
                response.error_response.error_message = f"not found: {error.args[0]}"
            yield response

    def _answer(self, request: Any, response: Any) -> None:
        kind = request.WhichOneof("message_request")
        if kind == "list_services":
            for name in self._services:
                response.list_services_response.service.add(name=name)
        elif kind == "file_by_filename":
            self._put(response, request.file_by_filename)
        elif kind == "file_containing_symbol":
            self._put(response, self._symbols[request.file_containing_symbol.removeprefix(".")])
        elif kind == "file_containing_extension":
            wanted = request.file_containing_extension
            self._put(response, self._numbers(wanted.containing_type)[wanted.extension_number])
        elif kind == "all_extension_numbers_of_type":
            name = request.all_extension_numbers_of_type.removeprefix(".")
            numbers = response.all_extension_numbers_response
            numbers.extension_number.extend(sorted(self._numbers(name)))
            numbers.base_type_name = name
        else:
            response.error_response.error_code = grpc.StatusCode.INVALID_ARGUMENT.value[0]
            response.error_response.error_message = "nothing is asked"

    def _numbers(self, message: str) -> Mapping[int, str]:
        """Extension number -> file; none for a message that nobody extends."""
        name = message.removeprefix(".")
        if name not in self._symbols:
            raise KeyError(name)
        return self._extensions.get(name, {})

    def _put(self, response: Any, file: str) -> None:
        """The file and, since clients ask no further, all that it imports."""
        wanted, seen = [file], {file}
        while wanted:
            proto = self._files[wanted.pop()]
            response.file_descriptor_response.file_descriptor_proto.append(
                proto.SerializeToString()
            )
            new = [name for name in proto.dependency if name not in seen]
            seen.update(new)
            wanted += new

    def _index(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        if file.name in self._files:
            return
        self._files[file.name] = file
        self._index_scope(file.name, file.package, file, file.message_type)
        for service in file.service:
            name = _join(file.package, service.name)
            self._symbols[name] = file.name
            for method in service.method:
                self._symbols[f"{name}.{method.name}"] = file.name

    def _index_scope(self, file: str, scope: str, holder: Any, messages: Iterable[Any]) -> None:
        for enum in holder.enum_type:
            self._symbols[_join(scope, enum.name)] = file
            for value in enum.value:  # values stand beside their enum, not in it
                self._symbols[_join(scope, value.name)] = file
        for extension in holder.extension:
            self._symbols[_join(scope, extension.name)] = file
            extended = self._extensions.setdefault(extension.extendee.removeprefix("."), {})
            extended[extension.number] = file
        for message in messages:
            name = _join(scope, message.name)
            self._symbols[name] = file
            for part in (*message.field, *message.oneof_decl):
                self._symbols[f"{name}.{part.name}"] = file
            self._index_scope(file, name, message, message.nested_type)


def _as_v1(alpha: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """The file of v1, which the library does not carry: v1alpha's under other names."""
    text = alpha.SerializeToString()
    proto = descriptor_pb2.FileDescriptorProto.FromString(text)
    proto.name = "grpc/reflection/v1/reflection.proto"
    proto.package = _V1
    for message in proto.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(f".{_ALPHA}.", f".{_V1}.")
    for service in proto.service:
        for method in service.method:
            method.input_type = method.input_type.replace(f".{_ALPHA}.", f".{_V1}.")
            method.output_type = method.output_type.replace(f".{_ALPHA}.", f".{_V1}.")
    return proto


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
