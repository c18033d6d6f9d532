"""Names that must be unique in a document: of schemas, of operations, of paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.openapi.paths import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor import Descriptor

    from pkg.proto.schema import Schema
    from pkg.rpc.operation import Operation


class Names:
    """Names of schemas: the message's own, with `.Input` where requests and replies share it."""

    def __init__(self, schema: Schema, operations: Iterable[Operation]) -> None:
        self._sent: set[str] = set()
        for operation in operations:
            if operation.response:
                _reach(schema.pool.FindMessageTypeByName(operation.response), self._sent)

    def of_input(self, message: str) -> str:
        return f"{message}.Input" if message in self._sent else message

    def of_reply(self, message: str) -> str:
        return message


def operation_ids(operations: Iterable[Operation]) -> Mapping[str, str]:
    """`Service_Method`; with the package before it where two services would get the same."""
    short: dict[str, list[str]] = {}
    for operation in operations:
        service, _, method = operation.name.partition("/")
        short.setdefault(f"{service.rpartition('.')[2]}_{method}", []).append(operation.name)
    return {
        name: made if len(names) == 1 else name.replace(".", "_").replace("/", "_")
        for made, names in short.items()
        for name in names
    }


def check_paths(schema: Schema, operations: Iterable[Operation]) -> None:
    """Refuse paths that differ in nothing but the names of their variables.

    Raises:
        ValueError: names both.
    """
    known: dict[str, str] = {}
    for operation in operations:
        message = (
            schema.pool.FindMessageTypeByName(operation.request) if operation.request else None
        )
        for rule in operation.rules:
            item = spread(rule.template, message)
            shape = item.text
            for slot in item.slots:
                shape = shape.replace(f"{{{slot.name}}}", "{}", 1)
            other = known.setdefault(shape, item.text)
            if other != item.text:
                raise ValueError(
                    f"{operation.name}: OpenAPI takes {item.text} and {other} for one path; "
                    "give their variables the same names"
                )


def _reach(message: Descriptor, found: set[str]) -> None:
    if message.full_name in found:
        return
    found.add(message.full_name)
    for field in message.fields:
        if field.message_type is not None:
            _reach(field.message_type, found)
