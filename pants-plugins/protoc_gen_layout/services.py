"""Renders `service.py`: per service the Protocol to implement, the client, and what joins it to us.

class AuthServiceServer(Protocol)       what an implementation must have
class AuthServiceClient                 calls the service through a Channel
def auth_service(server) -> Bound       the implementation, ready to mount; its types are checked
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protoc_gen_layout.imports import Imports
from protoc_gen_layout.text import definition, docstring, module_docstring, public

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

    from pkg.proto.python_names import PythonNames
    from pkg.proto.schema import Schema

_OWN = {"AsyncIterator", "Bound", "Call", "Channel", "Mapping", "Protocol", "timedelta"}


def services_module(
    schema: Schema,
    package: str,
    services: Sequence[ServiceDescriptor],
    naming: PythonNames,
    root: str,
) -> str:
    """Source of a package's service.py. `root` is the Python package of all generated code."""
    names = [name for each in services for name in _names(each, naming)]
    methods = [method for service in services for method in service.methods]
    messages = [each for method in methods for each in (method.input_type, method.output_type)]
    imports = Imports(messages, _OWN | set(names), naming, root)
    streams = any(method.client_streaming or method.server_streaming for method in methods)
    body = "".join(
        _server(schema, service, naming, imports)
        + _client(schema, service, naming, imports)
        + _bind(service, naming)
        for service in services
    )
    return (
        module_docstring(f"The services of {package}: what to implement, and clients.")
        + "\nfrom __future__ import annotations\n\n"
        + f"from collections.abc import {'AsyncIterator, ' if streams else ''}Mapping\n"
        + "from datetime import timedelta\nfrom typing import Protocol\n\n"
        + imports.lines()
        + f"from pkg.rpc import Bound, Call, Channel\n\n{public(names)}{body}"
    )


def _names(service: ServiceDescriptor, naming: PythonNames) -> tuple[str, str, str]:
    server, client = f"{service.name}Server", f"{service.name}Client"
    return server, client, naming.method(service.name)


def _server(
    schema: Schema, service: ServiceDescriptor, naming: PythonNames, imports: Imports
) -> str:
    comment = schema.comment(service.full_name) or f"Implements {service.full_name}."
    text = f"\n\nclass {service.name}Server(Protocol):\n{docstring(comment, '    ')}"
    for method in service.methods:
        keyword = "def" if method.server_streaming else "async def"
        head = definition(
            f"{keyword} {naming.method(method.name)}",
            f"self, {_argument(method, imports)}, call: Call, /",
            _result(method, imports),
            " " * 4,
        )
        text += f"\n{head}{docstring(_comment(schema, method), ' ' * 8)}        ...\n"
    return text


def _client(
    schema: Schema, service: ServiceDescriptor, naming: PythonNames, imports: Imports
) -> str:
    says = (
        f"Calls {service.full_name}.\n\n"
        "A refusal by the service is raised as Fault. Without a `timeout` the channel's default\n"
        "holds. `headers` are sent along, names in lower case."
    )
    text = (
        f"\n\nclass {service.name}Client:\n{docstring(says, '    ')}"
        "\n    def __init__(self, channel: Channel) -> None:\n        self._channel = channel\n"
    )
    for method in service.methods:
        keyword = "def" if method.server_streaming else "async def"
        awaited = "" if method.server_streaming else "await "
        argument = _argument(method, imports)
        text += (
            f"\n    {keyword} {naming.method(method.name)}(\n"
            f"        self,\n        {argument},\n        /,\n        *,\n"
            "        timeout: timedelta | None = None,\n"
            "        headers: Mapping[str, str] | None = None,\n"
            f"    ) -> {_result(method, imports)}:\n"
            f"{docstring(_comment(schema, method), ' ' * 8)}"
            f"        return {awaited}self._channel.{_shape(method)}(\n"
            f'            "{service.full_name}/{method.name}",\n'
            f"            {argument.partition(':')[0]},\n"
            f"            {imports.name(method.input_type)},\n"
            f"            {imports.name(method.output_type)},\n"
            "            timeout=timeout,\n            headers=headers,\n        )\n"
        )
    return text


def _bind(service: ServiceDescriptor, naming: PythonNames) -> str:
    server, _, function = _names(service, naming)
    methods = "".join(
        f'            "{method.name}": server.{naming.method(method.name)},\n'
        for method in service.methods
    )
    table = f"{{\n{methods}        }}" if methods else "{}"
    return (
        f"\n\ndef {function}(server: {server}) -> Bound:\n"
        f"{docstring(f'An implementation of {service.full_name}, ready to mount.', '    ')}"
        f'    return Bound(\n        "{service.full_name}",\n        {table},\n    )\n'
    )


def _comment(schema: Schema, method: MethodDescriptor) -> str:
    return schema.comment(method.full_name) or f"{method.name}."


def _argument(method: MethodDescriptor, imports: Imports) -> str:
    name = imports.name(method.input_type)
    return f"requests: AsyncIterator[{name}]" if method.client_streaming else f"request: {name}"


def _result(method: MethodDescriptor, imports: Imports) -> str:
    name = imports.name(method.output_type)
    return f"AsyncIterator[{name}]" if method.server_streaming else name


def _shape(method: MethodDescriptor) -> str:
    asks = "stream" if method.client_streaming else "unary"
    answers = "stream" if method.server_streaming else "unary"
    return f"{asks}_{answers}"
