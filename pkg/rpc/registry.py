"""What the protos of a process say, joined with the code that acts on it.

One per process, handed to each transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from pkg.errors.catalogue import Catalogue
from pkg.errors.fault import Violation
from pkg.proto.codec import Codec
from pkg.proto.http_rule import rules_of
from pkg.proto.json_fast import FastJson
from pkg.proto.json_in import JsonReader
from pkg.proto.json_out import JsonWriter
from pkg.proto.options import declared
from pkg.proto.schema import Schema
from pkg.rpc.operation import Operation, described
from pkg.rpc.overrides import Overrides
from pkg.validation import Acceptance, Rules, translate

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

Translate = Callable[[Violation, str], str]
"""A violation and a language -> what to tell the caller."""


class Registry:
    """Joins schema, codec, rules and catalogue. Holds no state of any call."""

    def __init__(
        self,
        schema: Schema,
        codec: Codec,
        rules: Rules,
        catalogue: Catalogue,
        translate: Translate = translate,
        overrides: Overrides | None = None,
    ) -> None:
        self.schema = schema
        self.codec = codec
        self.rules = rules
        self.catalogue = catalogue
        self.translate = translate
        self.overrides = overrides or Overrides()
        self.json_out = JsonWriter(codec)
        self.json_in = JsonReader(codec)
        self.json_fast = FastJson(codec)
        self.acceptance = Acceptance(codec, rules)

    @classmethod
    def load(cls, descriptor_set: bytes, overrides: Overrides | None = None) -> Self:
        """Read a serialized FileDescriptorSet, comments and all.

        Args:
            descriptor_set: the protos.
            overrides: what the configuration says of operations.

        The messages it names are looked up among the betterproto2 classes that have been imported
        when they are first used.

        Raises:
            ValueError: the catalogue is incomplete.
        """
        schema = Schema(descriptor_set)
        return cls(schema, Codec(schema), Rules(schema), Catalogue(schema), overrides=overrides)

    def operations(self, service: str) -> Mapping[str, Operation]:
        """The operations of a service, by the proto names of its methods.

        Raises:
            KeyError: no such service.
            ValueError: a method gives a reason that no catalogue enum declares, or options that
                cannot be meant.
            ConfigError: the configuration says of one what cannot be meant.
        """
        found = self.schema.pool.FindServiceByName(service)
        return MappingProxyType({m.name: self._operation(service, m) for m in found.methods})

    def _operation(self, service: str, method: MethodDescriptor) -> Operation:
        options = declared(self.schema, method)
        summary, description = described(self.schema.comment(method.full_name))
        operation = Operation(
            f"{service}/{method.name}",
            request=method.input_type.full_name,
            response=method.output_type.full_name,
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            rules=rules_of(self.schema, method),
            summary=summary,
            description=description,
            **{option.name: getattr(options, option.name) for option in fields(options)},
        )
        return self.effective(operation)

    def effective(self, operation: Operation) -> Operation:
        """The operation as the configuration has it; also for one that no proto declares.

        Raises:
            ValueError: the operation gives a reason that no catalogue enum declares.
            ConfigError: the configuration opens it, or asks for what it cannot have.
        """
        found = self.overrides.apply(operation)
        self.catalogue.operation_reasons(found)
        return found
