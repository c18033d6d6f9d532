"""Requests in the wire format: bytes that become checked messages only when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from pkg.errors.fault import Fault, Violation

if TYPE_CHECKING:
    from pkg.rpc.operation import Operation
    from pkg.rpc.registry import Registry

Read = Callable[[bytes], Any]
"""Bytes to the checked message; raises Fault."""


class Unary:
    """The payload of one request message."""

    __slots__ = ("_raw", "_read")

    def __init__(self, raw: bytes, read: Read) -> None:
        self._raw = raw
        self._read = read

    def message(self) -> Any:
        """The checked message.

        Raises:
            Fault: INVALID_ARGUMENT, with what is wrong where.
        """
        return self._read(self._raw)


def reader(registry: Registry, operation: Operation) -> Read:
    """How the operation's requests are read: parsed, checked by their rules, made an object."""
    has_rules = registry.rules.has(operation.request)
    decode = registry.codec.decoder(operation.request)
    parse = registry.schema.message(operation.request).FromString
    from_upb = registry.codec.from_upb(operation.request)
    accepts = registry.acceptance.test(operation.request)
    check = registry.rules.check

    def read(raw: bytes) -> Any:
        try:
            if not has_rules:
                return decode(raw)
            message = parse(raw)
            try:
                found = from_upb(message)
            except DecodeError:
                check(message)  # a broken rule is told first
                raise
            if not accepts(found):
                check(message)
            return found
        except DecodeError as error:
            raise Fault(
                "INVALID_ARGUMENT",
                violations=(Violation("", "wire", "the bytes are not such a message"),),
            ) from error

    return read
