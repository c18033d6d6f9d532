"""Holds messages to the rules of `buf.validate` in their protos.

The engine is protovalidate, native, on protobuf's own messages. Loading it takes a tenth of a
second, so that is left to the first message that it is asked about.

Guarantees that whatever a caller sends is either accepted or refused with violations: a CEL rule
that fails while it is evaluated is a violation too. A rule that cannot be compiled is found by
`compile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.errors import Fault, Violation
from pkg.validation.explain import Explainer
from pkg.validation.texts import EVALUATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from pkg.proto.schema import Schema

LIMIT: Final = 50
"""Violations that are reported of one message."""

LARGE: Final = 256 * 1024
"""Bytes. Of a larger message only the first violation is looked for: refusing stays cheap."""


class Rules:
    """The rules of one schema. May be shared by threads."""

    def __init__(self, schema: Schema, *, limit: int = LIMIT, large: int = LARGE) -> None:
        """Compile nothing yet: each message's rules are compiled when they are first needed.

        Args:
            schema: where the messages that will be checked are from.
            limit: how many violations are reported at most.
            large: serialized bytes from which only the first violation is looked for.
        """
        self._schema = schema
        self._limit = limit
        self._large = large
        self._made: Any = None
        self._explain = Explainer(schema)
        self._has: dict[str, bool] = {}

    def has(self, name: str) -> bool:
        """Has the message, or anything in it, a rule?

        Raises:
            KeyError: the schema has no message of that full name.
        """
        known = self._has.get(name)
        if known is None:
            root = self._schema.pool.FindMessageTypeByName(name)
            known = self._has[name] = any(self._declares(each) for each in _reachable(root))
        return known

    def compile(self, names: Iterable[str]) -> None:
        """Compile the rules of these messages and of all that is in them.

        Raises:
            KeyError: the schema has no message of that full name.
            ValueError: a rule is wrong; names the message and the rule.
        """
        done: set[str] = set()
        for name in names:
            for message in _reachable(self._schema.pool.FindMessageTypeByName(name)):
                if message.full_name not in done:
                    done.add(message.full_name)
                    self._compile(message)

    def check(self, message: Message) -> None:
        """Accept the message of the schema's pool, or refuse it.

        Raises:
            Fault: INVALID_ARGUMENT with at most `limit` violations, fields in JSON names.
        """
        from protovalidate import EvaluationError

        descriptor: Any = message.DESCRIPTOR  # of the pool's own type, which the stubs keep apart
        if not self.has(descriptor.full_name):
            return
        engine = self._engine
        try:
            found = engine.collect_violations(message, fail_fast=True)
            if not found:
                return
            if message.ByteSize() <= self._large:
                found = engine.collect_violations(message)
        except EvaluationError as error:
            broken = Violation("", EVALUATION, "could not be evaluated by the rules")
            raise Fault("INVALID_ARGUMENT", violations=(broken,)) from error
        raise Fault(
            "INVALID_ARGUMENT",
            violations=tuple(
                self._explain.violation(each, descriptor) for each in found[: self._limit]
            ),
        )

    def _declares(self, message: Descriptor) -> bool:
        option = self._schema.option
        return (
            option(message, "buf.validate.message") is not None
            or any(option(each, "buf.validate.field") is not None for each in message.fields)
            or any(option(each, "buf.validate.oneof") is not None for each in message.oneofs)
        )

    @property
    def _engine(self) -> Any:
        """One for all threads, or in a race one that does the same."""
        if self._made is None:
            from protovalidate import Validator

            self._made = Validator()
        return self._made

    def _compile(self, message: Descriptor) -> None:
        from protovalidate import CompilationError, EvaluationError

        try:
            self._engine.collect_violations(self._schema.message(message.full_name)())
        except CompilationError as error:
            raise ValueError(f"{message.full_name}: {error}") from error
        except EvaluationError:
            return  # it compiles; an empty message is not what it is for


def _reachable(root: Descriptor) -> Iterator[Descriptor]:
    """The message and every one that it can hold, once each."""
    seen, left = {root.full_name}, [root]
    while left:
        message = left.pop()
        yield message
        for field in message.fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                left.append(inner)
