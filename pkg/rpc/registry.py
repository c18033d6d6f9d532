"""What the protos of a process say, joined with the code that acts on it.

One per process, handed to each transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from pkg.errors.catalogue import Catalogue
from pkg.errors.fault import Violation
from pkg.proto.codec import Codec
from pkg.proto.http_rule import rules_of
from pkg.proto.json_fast import FastJson
from pkg.proto.json_in import JsonReader
from pkg.proto.json_out import JsonWriter
from pkg.proto.schema import Schema
from pkg.rpc.operation import Auth, Operation, described
from pkg.validation import Rules, translate

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

Translate = Callable[[Violation, str], str]
"""A violation and a language -> what to tell the caller."""

_AUTH: Final = MappingProxyType({1: Auth.PUBLIC, 2: Auth.SIGNED_IN})
"""Numbers of layout.v1.Auth. All others, and none, are PERMITTED: nothing is open by forgetting."""


class Registry:
    """Joins schema, codec, rules and catalogue. Holds no state of any call."""

    def __init__(
        self,
        schema: Schema,
        codec: Codec,
        rules: Rules,
        catalogue: Catalogue,
        translate: Translate = translate,
    ) -> None:
        self.schema = schema
        self.codec = codec
        self.rules = rules
        self.catalogue = catalogue
        self.translate = translate
        self.json_out = JsonWriter(codec)
        self.json_in = JsonReader(codec)
        self.json_fast = FastJson(codec)

    @classmethod
    def load(cls, descriptor_set: bytes) -> Self:
        """Read a serialized FileDescriptorSet, comments and all.

        The messages it names are looked up among the betterproto2 classes that have been imported
        when they are first used.

        Raises:
            ValueError: the catalogue is incomplete.
        """
        schema = Schema(descriptor_set)
        return cls(schema, Codec(schema), Rules(schema), Catalogue(schema))

    def operations(self, service: str) -> Mapping[str, Operation]:
        """The operations of a service, by the proto names of its methods.

        Raises:
            KeyError: no such service.
            ValueError: a method gives a reason that no catalogue enum declares.
        """
        found = self.schema.pool.FindServiceByName(service)
        return MappingProxyType({m.name: self._operation(service, m) for m in found.methods})

    def _operation(self, service: str, method: MethodDescriptor) -> Operation:
        def option(name: str) -> Any:
            return self.schema.option(method, f"layout.v1.{name}")

        summary, description = described(self.schema.comment(method.full_name))
        operation = Operation(
            name=f"{service}/{method.name}",
            request=method.input_type.full_name,
            response=method.output_type.full_name,
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            rules=rules_of(self.schema, method),
            auth=_AUTH.get(option("auth") or 0, Auth.PERMITTED),
            grant=tuple(option("grant") or ()),
            timeout=_timeout(option("timeout")),
            reasons=tuple(option("reason") or ()),
            summary=summary,
            description=description,
        )
        self.catalogue.operation_reasons(operation)  # refuses a reason that does not exist
        return operation


def _timeout(duration: Any) -> timedelta | None:
    if duration is None:
        return None
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)
